"""What scenarios are played in, what each of them returns, and what must hold when a run has ended."""

import random
import time
from typing import NamedTuple

from backend.schemas import RunStatus
from tests.faults.laboratory import Laboratory, Values, leases_held, told_of, values_of
from tests.faults.servers import Postgres, RedisServer
from tests.servers import eventually

COMPLETED, CANCELLED, FAILED = RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.FAILED
RUNNING, QUEUED, PAUSED = RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.PAUSED
RECOVERY_SECONDS = 60.0
CANCEL_SECONDS = 15.0


class Done(NamedTuple):
    """What a scenario did: how often which fault, over how many runs, and the seconds that mattered."""

    fault: str
    times: int
    runs: int
    recordings: int
    seconds: list[float]
    meaning: str


class World(NamedTuple):
    laboratory: Laboratory
    database: Postgres
    broker: RedisServer
    undisturbed: Values
    chance: random.Random
    kills: int

    def some_time(self, most: float) -> None:
        time.sleep(self.chance.uniform(0, most))

    def some_recording(self, run_id: int) -> None:
        """Wait for one in the run's first half: on a fast machine as well, the run has not ended then."""
        self.laboratory.wait_for_recording(run_id, self.chance.randrange(len(self.undisturbed.recordings) // 2))


def check(world: World, run_id: int, status: RunStatus = COMPLETED, undisturbed: Values | None = None) -> int:
    """How many recordings the run has: each once, told of once, and each value that of the undisturbed run."""
    laboratory, wanted = world.laboratory, undisturbed or world.undisturbed
    run = laboratory.wait_for(run_id, COMPLETED, CANCELLED, FAILED)
    assert run.status == status, f"run {run_id} is {run.status}: {run.reason}"
    assert run.lease is None, f"run {run_id} has ended and is held by an attempt"
    values = values_of(run_id)
    count = len(values.recordings)
    assert list(values.recordings) == list(range(count)), f"run {run_id} has recordings {list(values.recordings)}"
    assert told_of(run_id) == list(range(count)), f"run {run_id} told of recordings {told_of(run_id)}"
    different = [t for t, digest in values.recordings.items() if digest != wanted.recordings[t]]
    assert not different, f"run {run_id}: the values of recordings {different} are not those of the undisturbed run"
    if status is COMPLETED:
        assert count == len(wanted.recordings), f"run {run_id} has {count} recordings"
        assert values.ratios == wanted.ratios, f"run {run_id}: its ratios are not those of the undisturbed run"
    assert leases_held() == []
    eventually(lambda: not laboratory.trainers_of(run_id), f"the end of every trainer of run {run_id}", CANCEL_SECONDS)
    return count


def recovered(world: World, run_id: int, attempt: int, began: float) -> float:
    """Seconds until an attempt after this one runs, or the run has ended by itself."""
    world.laboratory.wait_for(run_id, RUNNING, COMPLETED, attempt=attempt + 1, seconds=RECOVERY_SECONDS)
    return time.monotonic() - began
