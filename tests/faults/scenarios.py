"""What is done to the processes, and what must hold afterwards. Each scenario returns what it did and measured."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from backend import queue
from backend.schemas import DeviceKind
from tests.faults.cancelling import cancelled
from tests.faults.kills import everything_at_once, kills
from tests.faults.laboratory import events_of, kill, told_of, values_of
from tests.faults.servers import away
from tests.faults.world import COMPLETED, FAILED, RECOVERY_SECONDS, RUNNING, Done, World, check, recovered
from tests.servers import Process, eventually


def redis_away(world: World) -> list[Done]:
    """Redis killed for 20 s while one run is trained and another is submitted; then emptied while one waits."""
    laboratory = world.laboratory
    laboratory.start_worker()
    trained = laboratory.submit()
    world.some_recording(trained)
    with away(world.broker.stop, world.broker.start, 20):
        submitted = laboratory.submit()
        assert httpx.get(f"{laboratory.url}/readyz", timeout=30).status_code == 503
    began = time.monotonic()
    laboratory.wait_for(trained, COMPLETED)
    laboratory.wait_for(submitted, RUNNING, COMPLETED, seconds=RECOVERY_SECONDS + 60)
    stopped = Done(
        "Redis killed for 20 s",
        1,
        2,
        check(world, trained) + check(world, submitted),
        [time.monotonic() - began],
        "until all is well",
    )
    trained = laboratory.submit()
    laboratory.wait_for(trained, RUNNING)
    waiting = laboratory.submit()
    world.some_recording(trained)
    world.broker.empty()
    laboratory.wait_for(trained, COMPLETED)
    began = time.monotonic()
    laboratory.wait_for(waiting, RUNNING, seconds=RECOVERY_SECONDS)
    seconds = time.monotonic() - began
    return [
        stopped,
        Done(
            "Redis emptied",
            1,
            2,
            check(world, trained) + check(world, waiting),
            [seconds],
            "until the waiting run is trained",
        ),
    ]


def postgres_away(world: World) -> list[Done]:
    """Postgres crashed for 20 s amid a run: the attempt goes on, and the server says 503 meanwhile."""
    laboratory = world.laboratory
    laboratory.start_worker()
    run_id = laboratory.submit()
    world.some_recording(run_id)
    run = laboratory.run(run_id)
    assert run.status is RUNNING
    assert run.last_recording is not None
    with away(world.database.stop, world.database.start, 20):
        answer = httpx.get(f"{laboratory.url}/api/v1/runs/{run_id}", timeout=30)
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert httpx.get(f"{laboratory.url}/readyz", timeout=30).status_code == 503
    began = time.monotonic()
    laboratory.wait_for_recording(run_id, run.last_recording + 1)
    seconds = time.monotonic() - began
    recordings = check(world, run_id)
    run = laboratory.run(run_id)
    assert (run.attempt, run.lost_attempts) == (1, 0), "the attempt was not to be taken from a worker that lives"
    return [Done("Postgres crashed for 20 s", 1, 1, recordings, [seconds], "until the next recording is written")]


def same_message_twice(world: World) -> list[Done]:
    """Two workers are given the same message, several times."""
    laboratory = world.laboratory
    run_id = laboratory.submit()
    for _ in range(5):
        queue.send_run(run_id, DeviceKind.CPU)
    laboratory.start_worker("one")
    laboratory.start_worker("two")
    laboratory.wait_for(run_id, RUNNING)
    for _ in range(5):
        queue.send_run(run_id, DeviceKind.CPU)
        world.some_time(1)
        assert len(laboratory.trainers()) <= 1
    recordings = check(world, run_id)
    assert laboratory.run(run_id).attempt == 1
    return [Done("the same message to two workers", 11, 1, recordings, [], "")]


def stopped_worker(world: World) -> list[Done]:
    """A whole worker is stopped (SIGSTOP); another one takes the run over, and the first one wakes amid that."""
    laboratory = world.laboratory
    laboratory.start_worker("one")
    run_id = laboratory.submit()
    world.some_recording(run_id)
    tree = laboratory.tree(run_id)
    laboratory.start_worker("two")
    began = time.monotonic()
    for pid in (tree.main, tree.child, tree.trainer):
        kill(pid, signal.SIGSTOP)
    seconds = recovered(world, run_id, 1, began)
    second = laboratory.tree(run_id)
    world.some_time(3)
    for pid in (tree.main, tree.child, tree.trainer):
        kill(pid, signal.SIGCONT)
    eventually(lambda: tree.trainer not in laboratory.trainers(), "the end of the fenced trainer", 20)
    assert second.trainer != tree.trainer
    recordings = check(world, run_id)
    assert laboratory.run(run_id).lost_attempts == 1
    return [
        Done(
            "SIGSTOP of a worker that wakes fenced",
            1,
            1,
            recordings,
            [seconds],
            "until another goes on",
        )
    ]


def stopped_trainer(world: World) -> list[Done]:
    """The trainer alone is stopped: its supervisor lives and must notice."""
    laboratory = world.laboratory
    laboratory.start_worker()
    run_id = laboratory.submit()
    world.some_recording(run_id)
    tree = laboratory.tree(run_id)
    began = time.monotonic()
    kill(tree.trainer, signal.SIGSTOP)
    seconds = recovered(world, run_id, 1, began)
    recordings = check(world, run_id)
    assert "no sign of life" in events_of(run_id, "warning")[0]["message"]
    return [Done("SIGSTOP of a trainer", 1, 1, recordings, [seconds], "until the run goes on")]


def deaf_worker(world: World) -> list[Done]:
    """A worker's consumer dies without a word while its process lives: its watchdog starts it anew."""
    laboratory = world.laboratory
    mark = laboratory.home / "deaf"
    worker = Process(str(mark), log=laboratory.home / "worker-deaf.log", module="tests.faults.deaf_worker")
    try:
        eventually(mark.exists, "the worker's start")
        began = time.monotonic()
        run_id = laboratory.submit()
        laboratory.wait_for(run_id, RUNNING, seconds=RECOVERY_SECONDS)
        seconds = time.monotonic() - began
        recordings = check(world, run_id)
    finally:
        worker.stop()
    return [Done("consumer of a worker dead", 1, 1, recordings, [seconds], "until the waiting run is trained")]


def full_disk(world: World) -> list[Done]:
    """The artifacts' disk, a small tmpfs, is full; the run fails and says so, and goes on when there is room."""
    laboratory = world.laboratory
    with tmpfs(laboratory.home / "artifacts", "600k"):
        laboratory.start_worker()
        run_id = laboratory.submit()
        run = laboratory.wait_for(run_id, FAILED, COMPLETED)
        assert run.status is FAILED, "600 KiB were enough"
        assert f"The artifact folder {laboratory.home}/artifacts has no room left" in (run.reason or ""), run.reason
        before = len(told_of(run_id))
        kept = values_of(run_id).recordings
        assert kept == {t: world.undisturbed.recordings[t] for t in range(before)}
        subprocess.run(["mount", "-o", "remount,size=64m", str(laboratory.home / "artifacts")], check=True)
        began = time.monotonic()
        laboratory.command(run_id, "retry")
        laboratory.wait_for(run_id, RUNNING, COMPLETED)
        seconds = time.monotonic() - began
        recordings = check(world, run_id)
    return [Done("disk full for artifacts", 1, 1, recordings, [seconds], "until the retried run goes on")]


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[None]:
    """Raises RuntimeError where nothing may be mounted: only root can, and not in every container."""
    aside = folder.with_name("artifacts-aside")
    folder.mkdir(exist_ok=True)
    folder.rename(aside)
    folder.mkdir()
    try:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False)
        if mounted.returncode != 0:
            raise RuntimeError("no tmpfs can be mounted here, which takes root: the full disk is NOT tested")
        yield
        shutil.copytree(folder, aside, dirs_exist_ok=True)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder)
        aside.rename(folder)


SCENARIOS: dict[str, Callable[[World], list[Done]]] = {
    "kills": kills,
    "all-at-once": everything_at_once,
    "redis": redis_away,
    "postgres": postgres_away,
    "same-message": same_message_twice,
    "stopped-worker": stopped_worker,
    "stopped-trainer": stopped_trainer,
    "deaf-worker": deaf_worker,
    "full-disk": full_disk,
    "cancel": cancelled,
}
SHORT = ("kills", "postgres", "same-message")
