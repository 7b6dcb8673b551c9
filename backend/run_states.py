"""The states of a run, what leads from one to the other, and what a person may do in each. Pure; the one place.

    queued ⇄ running → completed, failed, cancelled
    queued, running → paused → queued (activate)
    paused, queued → cancelled
    failed, cancelled → queued (retry); completed → queued (extend)

A running run may have been asked to stop: it is *cancelling* or *pausing* until its trainer has done so.
"""

from enum import StrEnum


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


class RunCommand(StrEnum):
    PAUSE = "pause"
    ACTIVATE = "activate"
    CANCEL = "cancel"
    RETRY = "retry"
    EXTEND = "extend"
    DELETE = "delete"


NEXT: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset(set(RunStatus) - {RunStatus.RUNNING}),
    RunStatus.PAUSED: frozenset({RunStatus.QUEUED, RunStatus.CANCELLED}),
    RunStatus.COMPLETED: frozenset({RunStatus.QUEUED}),
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),
    RunStatus.CANCELLED: frozenset({RunStatus.QUEUED}),
}

_POSSIBLE: dict[RunStatus, tuple[RunCommand, ...]] = {
    RunStatus.QUEUED: (RunCommand.PAUSE, RunCommand.CANCEL),
    RunStatus.RUNNING: (RunCommand.PAUSE, RunCommand.CANCEL),
    RunStatus.PAUSED: (RunCommand.ACTIVATE, RunCommand.CANCEL),
    RunStatus.COMPLETED: (RunCommand.EXTEND, RunCommand.DELETE),
    RunStatus.FAILED: (RunCommand.RETRY, RunCommand.DELETE),
    RunStatus.CANCELLED: (RunCommand.RETRY, RunCommand.DELETE),
}

# A second click, or a request that is sent again, finds its aim reached.
_REACHED = {
    RunCommand.PAUSE: RunStatus.PAUSED,
    RunCommand.ACTIVATE: RunStatus.QUEUED,
    RunCommand.CANCEL: RunStatus.CANCELLED,
}


def possible(status: RunStatus, *, cancelling: bool = False, pausing: bool = False) -> tuple[RunCommand, ...]:
    """What a person may do to a run in this state."""
    if status is RunStatus.RUNNING and cancelling:
        return ()
    if status is RunStatus.RUNNING and pausing:
        return RunCommand.ACTIVATE, RunCommand.CANCEL
    return _POSSIBLE[status]


def reached(command: RunCommand, status: RunStatus, *, cancelling: bool = False, pausing: bool = False) -> bool:
    """Whether the run is, or soon will be, where the command would lead."""
    if status is RunStatus.RUNNING and (cancelling or pausing):
        return command is (RunCommand.CANCEL if cancelling else RunCommand.PAUSE)
    return _REACHED.get(command) is status
