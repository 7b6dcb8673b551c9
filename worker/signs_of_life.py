"""A trainer writes a byte into a pipe twice a second; its supervisor kills it when none has come for too long.

A process that is stopped, or that hangs, would else keep its GPU and its run for ever.
"""

import os
from threading import Thread
from time import monotonic, sleep

GIVE_SECONDS = 0.5
START_SECONDS = 300.0
"""So long a trainer may take until its first sign: it imports torch, maybe from a slow disk."""


def give(descriptor: int) -> None:
    """Give signs for as long as this process lives."""
    os.set_blocking(descriptor, False)
    Thread(target=_give, args=(descriptor,), daemon=True).start()


def _give(descriptor: int) -> None:
    while True:
        try:
            os.write(descriptor, b".")
        except BlockingIOError:
            pass  # nobody has read for hours
        except BrokenPipeError:
            return
        sleep(GIVE_SECONDS)


class Listener:
    """The supervisor's end: `descriptor` is for the trainer to write to. Close it when the trainer has it."""

    def __init__(self) -> None:
        self._reads, self.descriptor = os.pipe()
        os.set_blocking(self._reads, False)
        self._heard: float | None = None
        self._since = monotonic()

    def silent_for_longer_than(self, seconds: float) -> bool:
        """Whether no sign has come for so long; before the first one START_SECONDS count."""
        try:
            if os.read(self._reads, 65536):
                self._heard = monotonic()
        except BlockingIOError:
            pass
        if self._heard is None:
            return monotonic() - self._since > START_SECONDS
        return monotonic() - self._heard > seconds

    def close(self) -> None:
        os.close(self._reads)
