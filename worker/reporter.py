"""Tells the database every half second how far the trainer is, and hears there whether it should stop."""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from backend.db import session_scope
from backend.errors import LeaseLost
from backend.run_states import RunCommand
from backend.schemas import Progress
from backend.services import leases
from backend.services.leases import Lease

log = logging.getLogger(__name__)

REPORT_SECONDS = 0.5


class Reporter:
    """A context in which progress is reported.

    `stop_asked` is set when the run is to be cancelled or paused, or the lease is lost. Training looks at it after each
    step; where nothing is to be kept of the step, `interrupt` is called as well.
    """

    def __init__(self, lease: Lease, interrupt: Callable[[], object] = bool) -> None:
        self.stop_asked = Event()
        self.pausing = False
        self.lease_lost = False
        self._interrupt = interrupt
        self._lease = lease
        self._progress = Progress()
        self._lock = Lock()
        self._ended = Event()
        self._began: tuple[float, int] | None = None
        self._thread = Thread(target=self._report, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=5)

    def set(self, **values: object) -> None:
        """Change fields of the progress that is reported next."""
        with self._lock:
            self._progress = self._progress.model_copy(update=values)

    def trained(self, step: int, epoch: float, images: int) -> None:
        """Note an optimiser step; `images` counts all that this process has trained on, for speed and time left."""
        if self._began is None:
            self._began = (monotonic(), step)
            self.set(phase="training", step=step, epoch=epoch)
            return
        began, first = self._began
        seconds = max(monotonic() - began, 1e-9)
        left = seconds / (step - first) * (self._progress.steps - step) if step > first else None
        self.set(phase="training", step=step, epoch=epoch, images_per_second=images / seconds, seconds_left=left)

    def _report(self) -> None:
        """Until the context ends, and once more then, so that the last state is what stays."""
        ended = False
        while not ended and not self.lease_lost:
            ended = self._ended.wait(REPORT_SECONDS)
            self._report_once()

    def _report_once(self) -> None:
        with self._lock:
            progress = self._progress
        try:
            with session_scope() as session:
                asked = leases.report_progress(session, self._lease, progress)
        except LeaseLost:
            self.lease_lost = True
            self.stop_asked.set()
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
        else:
            self._ask(asked)

    def _ask(self, asked: RunCommand | None) -> None:
        """A pause waits for the end of a step, and of a recording; before the first step there is nothing to keep."""
        if asked is None:
            if self.pausing:
                # The pause was taken back before training saw it.
                self.pausing = False
                self.stop_asked.clear()
            return
        self.pausing = asked is RunCommand.PAUSE
        self.stop_asked.set()
        if not self._ended.is_set() and (not self.pausing or self._progress.phase in ("starting", "loading")):
            self._interrupt()
