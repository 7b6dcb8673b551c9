"""Which workers have been heard of, what they are at, and why each run of the queue waits."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, or_, select, true
from sqlalchemy.orm import Session

from backend.machines import MachineLoad, QueuedRun, WorkerOut, WorkerRun
from backend.models import Run, Worker, now
from backend.run_states import RunStatus
from backend.schemas import DeviceKind, Priority
from backend.settings import settings


class Machine(NamedTuple):
    """Where a worker runs, and how many runs it trains at a time: one for each GPU, or one on the CPU."""

    host: str
    device: str
    slots: int
    has_gpu: bool

    @property
    def devices(self) -> tuple[DeviceKind, ...]:
        """The kinds of device whose runs it can train."""
        return tuple(kind for kind in DeviceKind if self.has_gpu or kind is not DeviceKind.CUDA)

    @property
    def trainable(self) -> ColumnElement[bool]:
        """The runs that it can train: on GPUs, those that want no more of them than it has."""
        wanted = func.coalesce(Run.spec["devices"].as_integer(), 1)
        enough = or_(Run.device == DeviceKind.CPU, wanted <= self.slots) if self.has_gpu else true()
        return Run.device.in_(self.devices) & enough


def report_worker(session: Session, name: str, machine: Machine, load: MachineLoad, started_at: datetime) -> None:
    """Say that the worker lives, and how busy its machine is."""
    row = Worker(name=name, **machine._asdict(), load=load.model_dump(), started_at=started_at, heartbeat_at=now())
    session.merge(row)


def forget_worker(session: Session, name: str) -> None:
    """Say that the worker has ended."""
    session.execute(delete(Worker).where(Worker.name == name))


def list_workers(session: Session) -> list[WorkerOut]:
    """Every worker heard of that did not say good-bye; `alive` is False for those silent for too long."""
    since = now() - timedelta(seconds=settings().worker_silent_seconds)
    running: dict[str | None, list[WorkerRun]] = defaultdict(list)
    query = select(Run.worker, Run.id, Run.name).where(Run.status == RunStatus.RUNNING).order_by(Run.id)
    for worker, run_id, name in session.execute(query):
        running[worker].append(WorkerRun(id=run_id, name=name))
    return [
        WorkerOut(
            name=worker.name,
            host=worker.host,
            device=worker.device,
            slots=worker.slots,
            has_gpu=worker.has_gpu,
            load=MachineLoad.model_validate(worker.load) if worker.load else None,
            runs=running[worker.name],
            started_at=worker.started_at,
            heartbeat_at=worker.heartbeat_at,
            alive=worker.heartbeat_at >= since,
        )
        for worker in session.scalars(select(Worker).order_by(Worker.name))
    ]


def any_alive(session: Session) -> bool:
    since = now() - timedelta(seconds=settings().worker_silent_seconds)
    return session.scalar(select(Worker.name).where(Worker.heartbeat_at >= since).limit(1)) is not None


def list_queue(session: Session) -> list[QueuedRun]:
    """The runs that wait, in the order in which they will be taken up."""
    alive = [worker for worker in list_workers(session) if worker.alive]
    devices = func.coalesce(Run.spec["devices"].as_integer(), 1).label("devices")
    columns = (Run.id, Run.name, Run.priority, Run.device, devices, Run.created_at)
    rows = session.execute(
        select(*columns).where(Run.status == RunStatus.QUEUED).order_by(Run.priority.desc(), Run.id)
    ).all()
    ranks = {priority.rank: priority for priority in Priority}
    before: list[tuple[DeviceKind, int]] = []
    queue = []
    for position, row in enumerate(rows, start=1):
        why = _why(row.device, row.devices, before, alive)
        before.append((row.device, row.devices))
        queue.append(
            QueuedRun(
                position=position,
                id=row.id,
                name=row.name,
                priority=ranks[row.priority],
                device=row.device,
                devices=row.devices,
                created_at=row.created_at,
                why=why,
            )
        )
    return queue


def why_waiting(session: Session, run_id: int) -> str | None:
    """Why this run has not begun; None where it does not wait."""
    return next((run.why for run in list_queue(session) if run.id == run_id), None)


def _why(kind: DeviceKind, devices: int, before: list[tuple[DeviceKind, int]], alive: list[WorkerOut]) -> str:
    able = [worker for worker in alive if _can_train(worker, kind, devices)]
    if not able:
        return _missing(kind, devices) if alive else "no worker is running"
    rivals = sum(any(_can_train(worker, *rival) for worker in able) for rival in before)
    words = [f"{rivals} {'run' if rivals == 1 else 'runs'} before it"] if rivals else []
    if any(len(worker.runs) < worker.slots for worker in able):
        return words[0] if words else "about to start"
    busy = [f"{worker.name} is on {_runs(worker.runs)}" for worker in able[:3]]
    return "; ".join([*words, *busy, *([f"{len(able) - 3} more workers are busy"] if len(able) > 3 else [])])


def _can_train(worker: WorkerOut, kind: DeviceKind, devices: int) -> bool:
    """As `Machine.trainable`."""
    if not worker.has_gpu:
        return kind is not DeviceKind.CUDA
    return kind is DeviceKind.CPU or devices <= worker.slots


def _missing(kind: DeviceKind, devices: int) -> str:
    if devices == 1:
        return "no worker with a CUDA GPU is running"
    return f"no worker with {devices} CUDA GPUs{'' if kind is DeviceKind.CUDA else ', or without any,'} is running"


def _runs(runs: list[WorkerRun]) -> str:
    return f"run {runs[0].id}" if len(runs) == 1 else "runs " + ", ".join(str(run.id) for run in runs)
