"""One watcher per process asks the database what changed; every open stream and socket hears it from here."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from backend.db import read_scope, session_scope
from backend.services import leases, runs

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.1
TAKE_BACK_SECONDS = 5.0
# A transaction may become visible later than its time stamp says, so each look goes back a little further.
OVERLAP = timedelta(seconds=5)


class Subscription:
    """The runs that changed since the subscriber asked last; None stands for "anything may have"."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._everything = False
        self._news = asyncio.Event()

    def tell(self, changed: set[int] | None) -> None:
        self._everything |= changed is None
        self._changed |= changed or set()
        self._news.set()

    async def next(self, timeout_seconds: float) -> set[int] | None:
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
    """Passes what the watcher sees on to the subscribers."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._known: dict[int, datetime] = {}

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def watch(self) -> None:
        """Look again and again, for ever; a database that is away is waited for."""
        while True:
            try:
                changed = await asyncio.to_thread(self._look)
            except SQLAlchemyError as error:
                log.warning("the database does not answer: %s", error)
                await asyncio.sleep(2)
                continue
            if changed is None or changed:
                for subscription in self._subscriptions:
                    subscription.tell(changed)
            await asyncio.sleep(WATCH_SECONDS)

    def _look(self) -> set[int] | None:
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


async def keep_runs_moving() -> None:
    """Wake what waits when the server starts, then take runs back from workers that fell silent, for ever."""
    first = True
    while True:
        try:
            await asyncio.to_thread(_look_after_runs, first)
            first = False
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
        await asyncio.sleep(TAKE_BACK_SECONDS)


def _look_after_runs(first: bool) -> None:
    with session_scope() as session:
        if first:
            leases.wake_queued(session)
        for run_id in leases.take_back_silent(session):
            log.warning("run %s was taken back from a worker that fell silent", run_id)
