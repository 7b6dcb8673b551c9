"""What a person does to a run that there is. What is possible in which state stands in `backend.run_states`."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend import artifacts, run_limits
from backend.db import on_commit
from backend.errors import Conflict, FieldError, InvalidInput
from backend.models import Run, now
from backend.run_states import RunCommand, RunStatus, possible, reached
from backend.schemas import Priority, Quantity, RunOut, RunSpec
from backend.services.early_to_mid import store_ratios
from backend.services.run_edits import retag
from backend.services.runs import get_run
from backend.services.transitions import finish, locked_run, queue_again
from backend.services.transitions import pause as put_aside


def pause(session: Session, run_id: int) -> RunOut:
    """Put aside at once a run that waits; ask the trainer of one that runs to write a checkpoint and end.

    Raises NotFound, Conflict.
    """
    run = locked_run(session, run_id)
    if _allows(run, RunCommand.PAUSE):
        if run.status is RunStatus.QUEUED:
            put_aside(session, run)
        else:
            run.pause_requested_at = now()
    return _told(session, run)


def activate(session: Session, run_id: int) -> RunOut:
    """Queue a paused run again, to go on where it stood; one that is about to pause will. Raises NotFound, Conflict."""
    run = locked_run(session, run_id)
    if _allows(run, RunCommand.ACTIVATE):
        if run.status is RunStatus.PAUSED:
            queue_again(session, run)
        else:
            # Its trainer may have heard of the pause already; then it gives the run back, and finds this withdrawn.
            run.pause_requested_at = None
    return _told(session, run)


def cancel(session: Session, run_id: int) -> RunOut:
    """End at once a run that waits or is paused; ask the trainer of one that runs. Raises NotFound, Conflict."""
    run = locked_run(session, run_id)
    if _allows(run, RunCommand.CANCEL):
        if run.status is RunStatus.RUNNING:
            run.cancel_requested_at, run.pause_requested_at = now(), None
        else:
            finish(session, run, RunStatus.CANCELLED, None)
    return _told(session, run)


def retry(session: Session, run_id: int) -> RunOut:
    """Queue a failed or cancelled run again: it goes on after its last checkpoint, or begins anew where it has none.

    Lost attempts are counted from 0 again. Raises NotFound, Conflict.
    """
    run = locked_run(session, run_id)
    if _allows(run, RunCommand.RETRY):
        run.lost_attempts = 0
        queue_again(session, run)
    return _told(session, run)


def extend(session: Session, run_id: int, epochs: int) -> RunOut:
    """Train a completed run on, up to so many epochs in all, from its last checkpoint.

    Milestones are epochs and stay where they are. A cosine or one_cycle has come to its end, and a longer one would
    have been another one from the first step on, so they are refused. Raises NotFound, Conflict, InvalidInput.
    """
    run = locked_run(session, run_id)
    if _allows(run, RunCommand.EXTEND):
        spec = _longer(RunSpec.model_validate(run.spec), epochs)
        run_limits.check(spec)
        run.spec, run.lost_attempts = spec.model_dump(mode="json"), 0
        store_ratios(session, run)
        queue_again(session, run)
    return _told(session, run)


def _longer(spec: RunSpec, epochs: int) -> RunSpec:
    errors = []
    if epochs <= spec.epochs:
        errors.append(FieldError("epochs", epochs, f"the run has {spec.epochs} epochs already; ask for more"))
    if (kind := spec.lr_schedule.kind) in ("cosine", "one_cycle"):
        message = f"a {kind} falls to 0 by the last epoch and cannot go on; clone the run with more epochs"
        errors.append(FieldError("lr_schedule.kind", kind, message))
    if spec.paths != "all" and Quantity.PATH in spec.compared:
        message = "new recordings are compared with the paths of all earlier ones, which are kept only with paths: all"
        errors.append(FieldError("paths", spec.paths, message))
    if errors:
        raise InvalidInput(errors)
    try:
        return RunSpec.model_validate(spec.model_dump() | {"epochs": epochs})
    except ValidationError as error:
        raise InvalidInput([FieldError("epochs", epochs, str(one["msg"])) for one in error.errors()]) from error


def delete(session: Session, run_id: int) -> None:
    """Remove a finished run, its rows at once and its files after the commit. Raises NotFound, Conflict."""
    run = locked_run(session, run_id)
    _allows(run, RunCommand.DELETE)
    session.delete(run)
    on_commit(session, lambda: artifacts.delete_run(run_id))


def _allows(run: Run, command: RunCommand) -> bool:
    """Whether there is anything to do; not where the run is on its way there. Raises Conflict where it cannot be."""
    asked = {"cancelling": run.cancel_requested_at is not None, "pausing": run.pause_requested_at is not None}
    choices = possible(run.status, **asked)
    if command in choices:
        return True
    if reached(command, run.status, **asked):
        return False
    state = next((word for word, is_so in asked.items() if is_so and not run.status.finished), run.status.value)
    what = ", ".join(choices) or "nothing until it has stopped"
    raise Conflict(f"run {run.id} is {state}, so {command} is not possible; possible is: {what}")


def _told(session: Session, run: Run) -> RunOut:
    session.flush()
    return get_run(session, run.id)


class BulkAction(StrEnum):
    """A command for many runs, or a change of what they are called or how urgent they are."""

    PAUSE = "pause"
    ACTIVATE = "activate"
    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"
    TAG = "tag"
    UNTAG = "untag"
    PRIORITISE = "prioritise"


_EACH = {
    BulkAction.PAUSE: pause,
    BulkAction.ACTIVATE: activate,
    BulkAction.CANCEL: cancel,
    BulkAction.RETRY: retry,
    BulkAction.DELETE: delete,
}


def bulk(
    session: Session, run_ids: Sequence[int], action: BulkAction, tags: Sequence[str], priority: Priority | None
) -> None:
    """Do it to all of these runs or, where one forbids it, to none. Raises NotFound, Conflict, InvalidInput."""
    if (action in (BulkAction.TAG, BulkAction.UNTAG)) != bool(tags):
        raise InvalidInput([FieldError("tags", list(tags), "name them for tag and untag, and for these alone")])
    if (action is BulkAction.PRIORITISE) != (priority is not None):
        raise InvalidInput([FieldError("priority", priority, "name it for prioritise, and for this alone")])
    if tags:
        retag(
            session,
            run_ids,
            add=tags if action is BulkAction.TAG else (),
            remove=() if action is BulkAction.TAG else tags,
        )
        return
    # In the order of their ids: of two such requests, none then waits for the other in a circle.
    for run_id in sorted(set(run_ids)):
        if action in _EACH:
            _EACH[action](session, run_id)
        elif priority is not None:
            _prioritise(session, run_id, priority)


def _prioritise(session: Session, run_id: int, priority: Priority) -> None:
    run = locked_run(session, run_id)
    run.spec, run.priority = run.spec | {"priority": priority.value}, priority.rank
