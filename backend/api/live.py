"""One watcher per process hears from the database what changed; every open stream and socket hears it from here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.api.news import AWAY_SECONDS, News, changes
from backend.db import read_scope
from backend.services.reaper import Reaper

log = logging.getLogger(__name__)

REAP_SECONDS = 5.0

Result = TypeVar("Result")


class Subscription:
    """The runs that changed since the subscriber asked last; None stands for "anything may have"."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._everything = False
        self._news = asyncio.Event()

    def tell(self, changed: News) -> None:
        self._everything |= changed is None
        self._changed |= changed or set()
        self._news.set()

    async def next(self, timeout_seconds: float) -> News:
        """Wait for news; the empty set when none came in time."""
        try:
            await asyncio.wait_for(self._news.wait(), timeout_seconds)
        except TimeoutError:
            return set()
        self._news.clear()
        changed, everything = self._changed, self._everything
        self._changed, self._everything = set(), False
        return None if everything else changed


class Hub:
    """Passes news on to the subscribers, and reads for all of them at once what they then ask for."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._reads: dict[Hashable, asyncio.Task[Any]] = {}

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def watch(self) -> None:
        """Tell of all that changes, for ever."""
        while True:
            try:
                async for changed in changes():
                    self._tell(changed)
            except Exception:
                log.exception("looking for news failed; it begins again")
                await asyncio.sleep(AWAY_SECONDS)

    def _tell(self, changed: News) -> None:
        # What was read before is out of date.
        self._reads.clear()
        for subscription in self._subscriptions:
            subscription.tell(changed)

    async def read(self, key: Hashable, query: Callable[[Session], Result]) -> Result:
        """What the query finds; those who ask by the same key between two pieces of news share one answer."""
        if key not in self._reads:
            self._reads[key] = asyncio.create_task(asyncio.to_thread(_read, query))
        reading = self._reads[key]
        try:
            result: Result = await asyncio.shield(reading)
        except Exception:
            # It may go better next time.
            if self._reads.get(key) is reading:
                del self._reads[key]
            raise
        return result


def _read(query: Callable[[Session], Result]) -> Result:
    with read_scope() as session:
        return query(session)


async def keep_runs_moving() -> None:
    """Take runs back from workers that fell silent and wake workers for runs whose message was lost, for ever."""
    reaper = Reaper()
    while True:
        try:
            for run_id in await asyncio.to_thread(reaper.look):
                log.warning("run %s was taken back from a worker that fell silent", run_id)
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
        except Exception:
            log.exception("looking after the runs failed; the next look is in %s s", REAP_SECONDS)
        await asyncio.sleep(REAP_SECONDS)
