"""Lets server and browser come first on a machine that trains; where they are idle, this costs nothing."""

import os
from contextlib import suppress
from pathlib import Path

NICE = 10
GROUP = Path("/proc/self/autogroup")


def give_way() -> None:
    """Lower this process's priority, and that of the processes that it will start in its session.

    Linux as a rule shares the processors out to sessions first (sched_autogroup), each with a niceness of its own: that
    of a process counts within its session alone. So whoever begins a session has to call this.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), NICE))
    # There is none where the kernel does not group so, or control groups do it.
    with suppress(OSError):
        GROUP.write_text(str(NICE))
