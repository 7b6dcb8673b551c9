"""Starts the processes of a run on several devices through torch's elastic agent (torchrun), and tells why one failed.

The agent looks ten times a second whether all of them live; where one has failed, it ends the others, and it kills one
that has given no sign of life for too long. It starts none again: a run whose process said why has failed, one whose
process was killed waits for another attempt.
"""

import logging
import os
import signal
import sys
from tempfile import TemporaryDirectory
from types import FrameType

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from backend.db import patiently, session_scope
from backend.errors import LeaseLost
from backend.schemas import RunStatus
from backend.services import leases
from backend.services.leases import Lease
from backend.settings import settings
from worker import signs_of_life
from worker.start import give_back

ENDED_BY_AGENT = {-signal.SIGTERM, -signal.SIGHUP}


def main() -> None:
    """Arguments: the fields of the lease, the descriptor for signs of life, how many devices."""
    logging.disable()  # the run's log is its processes'; how one fails is told as the run's reason
    lease, devices = Lease(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])), int(sys.argv[5])
    signal.signal(signal.SIGTERM, _pass_on)
    signs_of_life.give(int(sys.argv[4]))
    with TemporaryDirectory() as folder:
        _set_environment(devices, folder)
        try:
            elastic_launch(_config(lease, devices, folder), sys.executable)(
                *("-u", "-m", "worker.rank", *map(str, lease))
            )
        except SignalException:
            # The first process has done so already, unless it was still importing; the supervisor may be gone.
            give_back(lease)
        except ChildFailedError as error:
            _write_end(lease, dict(error.failures))


def _config(lease: Lease, devices: int, folder: str) -> LaunchConfig:
    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        run_id=f"run-{lease.run_id}",
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(folder),
        signals_to_handle="SIGHUP",
    )


def _set_environment(devices: int, folder: str) -> None:
    """What agent and processes find: these share the cores, speak on this machine alone, and give signs of life."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 1) // devices, 1)))
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    os.environ |= {"TORCHELASTIC_ENABLE_FILE_TIMER": "1", "TORCHELASTIC_TIMER_FILE": f"{folder}/signs"}


def _pass_on(_number: int, _frame: FrameType | None) -> None:
    """The agent hands the signal on by which it is ended; it ends processes by SIGTERM where one has failed."""
    os.kill(os.getpid(), signal.SIGHUP)


def _write_end(lease: Lease, failures: dict[int, ProcessFailure]) -> None:
    """Failed, for the reason that a process gave, or an attempt lost; nothing, where the first process wrote it."""

    def write() -> None:
        with session_scope() as session:
            if said := reason(failures):
                leases.end(session, lease, RunStatus.FAILED, said)
            else:
                leases.lose(session, lease, loss(failures))

    try:
        patiently(write, settings().database_patience_seconds)
    except LeaseLost:
        return


def reason(failures: dict[int, ProcessFailure]) -> str | None:
    """What the first process to fail said, where one said anything."""
    said: list[tuple[int, str]] = [
        (failure.timestamp, failure.error_file_data["message"]["message"])
        for failure in failures.values()
        if isinstance(failure.error_file_data["message"], dict)
    ]
    return min(said)[1].removeprefix("Failed: ") if said else None


def loss(failures: dict[int, ProcessFailure]) -> str:
    """How the process ended that the agent did not end, without a full stop."""
    rank, failure = next(
        ((rank, one) for rank, one in failures.items() if one.exitcode < 0 and one.exitcode not in ENDED_BY_AGENT),
        next(iter(failures.items())),
    )
    which = f"Process {rank + 1} of the run"
    if failure.exitcode == -signal.SIGKILL:
        return f"{which} was killed: it gave no sign of life, or the machine had no memory left"
    if failure.exitcode < 0:
        return f"{which} was ended by signal {failure.signal_name()}; its log may say why"
    return f"{which} ended with exit code {failure.exitcode}; its log may say why"
