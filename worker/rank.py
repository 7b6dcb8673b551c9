"""One of the processes that train a run on several devices; `worker.launcher` starts them and watches over them.

The first one is a trainer like that of a run on one device: it alone records, writes, and hears of a cancellation. The
others train and evaluate in step with it. However one of them ends before the run has, the launcher ends all others; it
kills one that is stopped or hangs. What one says when it fails goes to the launcher, which writes it.

SIGHUP asks the first process to give the run back; SIGTERM tells it that another one has failed.
"""

import logging
import os
import signal
import sys
from threading import Thread
from time import sleep, time
from types import FrameType

from torch.distributed.elastic.multiprocessing.errors import get_error_handler
from torch.distributed.elastic.timer.file_based_local_timer import FileTimerClient

from backend.db import session_scope
from backend.errors import LeaseLost
from backend.schemas import RunStatus
from backend.services import leases
from backend.services.leases import Lease
from backend.settings import settings
from worker import trainer
from worker.checkpoints import Checkpoints
from worker.parent import die_with_parent
from worker.preparation import prepare
from worker.priority import give_way
from worker.share import OtherFailed, Share, is_silence

ENDED_EARLY = 3
"""Exit code of a process that does not see the run completed."""

log = logging.getLogger("pathscope.rank")


class Failed(Exception):
    """Why the run fails, as one sentence."""


def main() -> None:
    """Arguments: the fields of the lease; torchrun's environment says which process this is."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    lease = Lease(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    share = Share(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    die_with_parent(signal.SIGKILL)
    give_way()
    Thread(target=_give_signs, daemon=True).start()
    errors = get_error_handler()
    errors.initialize()
    try:
        if share.rank:
            follow(lease, share)
        else:
            lead(lease, share)
    except LeaseLost:
        log.warning("the run belongs to another attempt now; nothing more is written")
        _leave_at_once()
    except Exception as error:
        if is_silence(error):
            log.warning("another process of the run no longer answers")
        else:
            log.error("process %s of %s fails", share.rank + 1, share.processes, exc_info=error)
            errors.record_exception(error)
        _leave_at_once()
    share.leave()
    # An interpreter that shuts down beside torch's threads is aborted now and then, which would look like a failure.
    _leave_at_once(0)


def lead(lease: Lease, share: Share) -> None:
    """Train and record the run, and write how it ended, unless it failed: raises Failed then."""
    signal.signal(signal.SIGHUP, trainer.stop)
    signal.signal(signal.SIGTERM, _other_failed)
    try:
        end = trainer.attempt(lease, share, signal.SIGHUP)
    except trainer.Stopped:
        end = None
    if end is not None and end.status is RunStatus.FAILED:
        raise Failed(end.reason)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    trainer.write_end(lease, end)
    if end is None:
        _leave_at_once()


def follow(lease: Lease, share: Share) -> None:
    """Train and evaluate whatever the first process does, from the same checkpoint on."""
    with session_scope() as session:
        spec = leases.spec_of(session, lease)
    _, training = prepare(spec, share)
    state = Checkpoints(lease).newest(training.device)
    if state is not None:
        training.load_state_dict(state["training"])
    for step in training:
        if step.due:
            training.evaluate("train")
            training.evaluate("test")


def _give_signs() -> None:
    """Tell the launcher's agent, again and again, until when it need not kill this process."""
    agent = FileTimerClient(os.environ["TORCHELASTIC_TIMER_FILE"])
    seconds = settings().lease_silent_seconds
    while True:
        try:
            agent.acquire("alive", time() + seconds)
        except OSError:
            return  # it has gone, and so will this process
        sleep(seconds / 10)


def _leave_at_once(code: int = ENDED_EARLY) -> None:
    """Without waiting for the others: they may wait for this one in the middle of a step; the launcher ends them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _other_failed(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise OtherFailed


if __name__ == "__main__":
    main()
