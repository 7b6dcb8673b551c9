"""Which runs changed, as soon as it is committed: Postgres tells (LISTEN), any other database is looked at often."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from time import monotonic

from psycopg import AsyncConnection
from psycopg import OperationalError as ConnectionLost
from sqlalchemy.exc import SQLAlchemyError

from backend.db import engine, read_scope
from backend.services import runs

log = logging.getLogger(__name__)

CHANNEL = "pathscope_runs"
"""A trigger on the table `runs` tells there a run's number, or `gone`."""
LOOK_SECONDS = 0.1
AWAY_SECONDS = 2.0
ALIVE_SECONDS = 10.0
# A transaction may become visible later than its time stamp says, so each look goes back a little further.
OVERLAP = timedelta(seconds=5)

News = set[int] | None
"""The runs that changed; None stands for "anything may have"."""


async def changes() -> AsyncIterator[News]:
    """What changed, for ever; a database that is away is waited for."""
    while engine().dialect.name == "postgresql":
        try:
            async for news in _told():
                yield news
        except (ConnectionLost, TimeoutError) as error:
            log.warning("Postgres tells no news, it is looked at instead: %s", error)
        async for news in _seen(AWAY_SECONDS):
            yield news
    async for news in _seen():
        yield news


async def _told() -> AsyncIterator[News]:
    address = engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await AsyncConnection.connect(address, autocommit=True, connect_timeout=5) as connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        # Of what was committed before, nobody tells.
        yield None
        while True:
            told = {notice.payload async for notice in connection.notifies(timeout=ALIVE_SECONDS, stop_after=1)}
            if told:
                yield None if "gone" in told else {int(run_id) for run_id in told}
            else:
                # A connection that was cut on the way looks like one without news.
                await asyncio.wait_for(connection.execute("SELECT 1"), ALIVE_SECONDS)


async def _seen(seconds: float = float("inf")) -> AsyncIterator[News]:
    """What is found by looking, for so many seconds."""
    until = monotonic() + seconds
    looks = Looks()
    was_away = False
    while monotonic() < until:
        try:
            news = await asyncio.to_thread(looks.look)
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
            was_away = True
            await asyncio.sleep(AWAY_SECONDS)
            continue
        if was_away:
            # What was asked meanwhile was not answered.
            news, was_away = None, False
        if news is None or news:
            yield news
        await asyncio.sleep(LOOK_SECONDS)


class Looks:
    """Knows what was seen last."""

    def __init__(self) -> None:
        self._known: dict[int, datetime] = {}

    def look(self) -> News:
        """The runs that changed since the last look; None where one is gone."""
        newest = max(self._known.values(), default=None)
        with read_scope() as session:
            found = runs.changed_since(session, newest - OVERLAP if newest else None)
            count = runs.count_runs(session)
        changed = {run_id for run_id, when in found.items() if self._known.get(run_id) != when}
        self._known |= found
        if count < len(self._known):
            with read_scope() as session:
                self._known = runs.changed_since(session, None)
            return None
        return changed
