"""What happens to a run, as it happens: Server-Sent Events, the log, and the socket of open dashboards."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import orjson
from fastapi import APIRouter, Header, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.api.live import Hub
from backend.db import AWAY, read_scope
from backend.errors import NotFound
from backend.schemas import LogLineOut, Progress
from backend.services import events, runs

log = logging.getLogger(__name__)

router = APIRouter(tags=["events"])

KEEPALIVE_SECONDS = 15.0
AWAY_SECONDS = 2.0
# The clocks of the lab's machines differ a little, and a change is seen a little after its time stamp.
OVERLAP = timedelta(seconds=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LogQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, lt=2**31, description="the last line that is already known")
    limit: int = Field(default=1000, ge=1, le=10_000)


class _News(NamedTuple):
    """What a stream sends next, written out once for all streams: the events, and how far the trainer is."""

    finished: bool
    events: bytes
    last: int
    progress: bytes


@router.get("/runs/{run_id:int}/log", responses=NOT_FOUND | INVALID)
def get_log(run_id: RunId, query: Annotated[LogQuery, Query()], session: Reading) -> list[LogLineOut]:
    """What the trainer printed, oldest line first."""
    runs.check_run(session, run_id)
    return events.log_lines_after(session, run_id, query.after, query.limit)


@router.get(
    "/runs/{run_id:int}/events",
    response_class=StreamingResponse,
    responses=NOT_FOUND
    | INVALID
    | {200: {"content": {"text/event-stream": {}}}, 204: {"description": "the run has ended, and all was sent before"}},
)
async def stream_events(
    run_id: RunId, request: Request, last_event_id: Annotated[int, Header(ge=0, lt=2**31)] = 0
) -> Response:
    """Events `status`, `recording` (numbered; `Last-Event-ID` goes on after one) and `progress` (not numbered).

    The stream begins with everything that has happened and ends with the run.
    """
    hub: Hub = request.app.state.hub
    news = await _news(hub, run_id, last_event_id)
    if news.finished and not news.events:
        return Response(status_code=204)
    stream = _stream(hub, run_id, last_event_id)
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _stream(hub: Hub, run_id: int, number: int) -> AsyncIterator[bytes]:
    progress = _progress(None)
    async with hub.subscribe() as subscription:
        while True:
            try:
                news = await _news(hub, run_id, number)
            except NotFound:
                return
            except AWAY as error:
                log.warning("the database does not answer: %s", error)
                yield KEEPALIVE_COMMENT
                await asyncio.sleep(AWAY_SECONDS)
                continue
            number = news.last
            if news.events:
                yield news.events
            if news.finished:
                return
            if news.progress != progress:
                progress = news.progress
                yield progress
            while (changed := await subscription.next(KEEPALIVE_SECONDS)) is not None and run_id not in changed:
                if not changed:
                    yield KEEPALIVE_COMMENT


@router.websocket("/live")
async def live(socket: WebSocket, since: AwareDatetime | None = None) -> None:
    """Tells a dashboard which runs have news, at most five times a second: {"runs": [ids]}, null for any.

    It begins with those that have changed since the page was made.
    """
    await socket.accept()
    listener = asyncio.ensure_future(_until_closed(socket))
    try:
        async with socket.app.state.hub.subscribe() as subscription:
            await socket.send_json({"runs": await asyncio.to_thread(_changed_since, since)})
            while not listener.done():
                changed = await subscription.next(1.0)
                if changed is None or changed:
                    await socket.send_json({"runs": sorted(changed) if changed is not None else None})
                    await asyncio.sleep(0.2)
    except (WebSocketDisconnect, RuntimeError):
        return
    finally:
        listener.cancel()


def _changed_since(since: datetime | None) -> list[int] | None:
    if since is None:
        return []
    try:
        with read_scope() as session:
            return sorted(runs.changed_since(session, max(since, EPOCH) - OVERLAP))
    except AWAY:
        return None


async def _until_closed(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue


async def _news(hub: Hub, run_id: int, number: int) -> _News:
    """The run and its events past `number`; as a rule all streams of a run are at the same one."""

    def query(session: Session) -> _News:
        status, progress = runs.status_and_progress(session, run_id)
        found = events.events_after(session, run_id, number)
        written = b"".join(_format(one.kind, one.model_dump(mode="json")["data"], str(one.number)) for one in found)
        last = found[-1].number if found else number
        return _News(status.finished, written, last, _progress(progress))

    return await hub.read((run_id, number), query)


def _progress(progress: Progress | None) -> bytes:
    return _format("progress", progress.model_dump() if progress else None, None)


def _format(kind: str, data: object, number: str | None) -> bytes:
    return format_sse_event(data_str=orjson.dumps(data).decode(), event=kind, id=number)
