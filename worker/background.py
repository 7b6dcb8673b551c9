"""Work that is done in order, in one thread beside training: statistics, compression and writing."""

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from types import TracebackType
from typing import Self

import torch


class Background:
    """A context in which jobs are handed over and done one after the other; none is dropped on an ordinary end.

    At most `waiting` jobs wait: the next one is handed over when there is room. When a job raises, those behind it are
    not begun, and the exception is raised by the next call of any method, or when the context ends. Where the context
    ends by an exception, that one goes on, after the jobs: ordinary ones wait for all of them, others (somebody wants
    this process to end) for `patience_seconds`.

    A job has one of torch's threads, so that training keeps the cores.
    """

    def __init__(self, waiting: int, patience_seconds: float) -> None:
        self._waiting = waiting
        self._patience_seconds = patience_seconds
        self._jobs: deque[Callable[[], object]] = deque()
        self._busy = False
        self._ended = False
        self._error: BaseException | None = None
        self._changed = Condition()
        self._thread = Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        hurried = error is not None and not isinstance(error, Exception)
        self._wait(lambda: self._idle, self._patience_seconds if hurried else None)
        with self._changed:
            self._ended = True
            self._jobs.clear()
            self._changed.notify_all()
        if error is None:
            self.check()

    def put(self, job: Callable[[], object]) -> None:
        """Hand a job over, as soon as there is room for it."""
        self._wait(lambda: len(self._jobs) < self._waiting or self._error is not None)
        self.check()
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()

    def drain(self) -> None:
        """Return when every job is done."""
        self._wait(lambda: self._idle)
        self.check()

    def check(self) -> None:
        """Raise what a job has raised."""
        if self._error is not None:
            raise self._error

    @property
    def _idle(self) -> bool:
        return self._error is not None or (not self._jobs and not self._busy)

    def _wait(self, until: Callable[[], bool], seconds: float | None = None) -> None:
        # In slices: a signal's handler runs between them.
        end = None if seconds is None else monotonic() + seconds
        with self._changed:
            while not until() and (end is None or monotonic() < end):
                self._changed.wait(0.1)

    def _work(self) -> None:
        torch.set_num_threads(1)
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException as error:
                self._error = error
            with self._changed:
                self._busy = False
                self._changed.notify_all()
            del job

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._ended)
            if self._error is not None or not self._jobs:
                return None
            self._busy = True
            job = self._jobs.popleft()
            self._changed.notify_all()
            return job
