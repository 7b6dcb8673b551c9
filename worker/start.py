"""Where the process of an attempt begins: it can be told to stop (SIGTERM) while it still imports torch, for seconds.

Its supervisor blocks the signal until then, so that it is never lost.
"""

import os
import signal
import sys
from functools import partial
from importlib import import_module
from types import FrameType

from backend.db import patiently, session_scope
from backend.errors import LeaseLost
from backend.services import leases
from backend.services.leases import Lease

GIVE_BACK_SECONDS = 2.0
ALARM_SECONDS = 10
"""The kernel ends a process that was told to stop and does not, as its supervisor may be gone."""


def main() -> None:
    """Arguments: the module to go on with, then what its `main` takes, the fields of the lease first."""
    module, *sys.argv[1:] = sys.argv[1:]
    lease = Lease(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    signal.signal(signal.SIGTERM, partial(_stop, lease))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    import_module(module).main()


def _stop(lease: Lease, number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    signal.alarm(ALARM_SECONDS)
    try:
        give_back(lease)
    finally:
        # Nothing is raised into whatever is being imported. Where the run was not given back, its supervisor does so.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def give_back(lease: Lease) -> None:
    """Give the run back to the queue, unless it no longer is this attempt's."""

    def write() -> None:
        with session_scope() as session:
            leases.give_back(session, lease)

    try:
        patiently(write, GIVE_BACK_SECONDS)
    except LeaseLost:
        return


if __name__ == "__main__":
    main()
