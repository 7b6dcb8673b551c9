"""What API, worker and dashboard say of workers, their machines, and the queue of runs before them."""

from datetime import datetime

from pydantic import BaseModel, Field

from backend.schemas import DeviceKind, Priority


class GpuLoad(BaseModel):
    """A GPU as its driver sees it; None where it does not say. Memory in bytes, utilisation 0 to 1."""

    name: str
    memory_used: int | None
    memory_total: int | None
    utilisation: float | None


class MachineLoad(BaseModel):
    """A worker's machine; memory in bytes, utilisation of all its cores 0 to 1."""

    cores: int
    utilisation: float
    memory_used: int
    memory_total: int
    gpus: tuple[GpuLoad, ...] = ()


class WorkerRun(BaseModel):
    id: int
    name: str


class WorkerOut(BaseModel):
    """A worker trains `slots` runs at a time: one for each GPU, or one on the CPU."""

    name: str
    host: str
    device: str
    slots: int
    has_gpu: bool
    load: MachineLoad | None
    runs: list[WorkerRun] = Field(description="what it trains now")
    started_at: datetime
    heartbeat_at: datetime
    alive: bool


class QueuedRun(BaseModel):
    """A run that waits: its place in the queue, from 1, and why it has not begun."""

    position: int
    id: int
    name: str
    priority: Priority
    device: DeviceKind
    devices: int = 1
    created_at: datetime
    why: str
