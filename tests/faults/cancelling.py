"""Cancel in each phase of a run, and how long its process stays after that."""

import io
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from backend.models import Run
from tests.faults.laboratory import Laboratory, Values, values_of
from tests.faults.world import CANCEL_SECONDS, CANCELLED, COMPLETED, PAUSED, RUNNING, Done, World, check
from tests.servers import eventually

PICTURES = 10_000
HEAVY = {
    "net": "resnet18",
    "epochs": 1,
    "probe": {"count": 300},
    "recordings": {"every_epochs": 1},
    "quantities": ["path", "activation"],
}
"""Its recordings take seconds, and two of them wait to be written when training has ended."""
TRIES = 4


class Phase(NamedTuple):
    name: str
    changes: dict[str, Any]
    undisturbed: Values


def cancelled(world: World) -> list[Done]:
    """Cancel while it waits, starts, loads, trains, records, finishes and is paused."""
    laboratory = world.laboratory
    done = [_while_it_waits(world)]
    laboratory.start_worker()
    heavy_id = laboratory.submit(**HEAVY)
    laboratory.wait_for(heavy_id, COMPLETED)
    heavy = values_of(heavy_id)
    for phase in (
        Phase("starting", {}, world.undisturbed),
        Phase("loading", {"dataset": _many_pictures(laboratory.home / "data")}, world.undisturbed),
        Phase("training", {}, world.undisturbed),
        Phase("recording", HEAVY, heavy),
        Phase("finishing", HEAVY, heavy),
    ):
        done.append(_in_phase(world, phase))
    return [*done, _while_it_is_paused(world)]


def _while_it_waits(world: World) -> Done:
    run_id = world.laboratory.submit()
    seconds = _cancel(world.laboratory, run_id)
    return _done("it waits", check(world, run_id, CANCELLED), seconds)


def _in_phase(world: World, phase: Phase) -> Done:
    """The phase is sure where the trainer's last words name it; a run that was further by then is left, for another."""
    laboratory = world.laboratory
    for _ in range(TRIES):
        run_id = laboratory.submit(**phase.changes)
        eventually(lambda: _reached(laboratory, run_id, phase.name), f"{phase.name} of run {run_id}", 120)  # noqa: B023
        world.some_time(0.3)
        seconds = _cancel(laboratory, run_id)
        run = laboratory.run(run_id)
        recordings = check(world, run_id, run.status, phase.undisturbed)
        print(f"  {phase.name}: {run.status} in {_phase(run)} after {seconds:.1f} s", flush=True)
        if run.status is CANCELLED and _phase(run) == phase.name:
            return _done(f"phase {phase.name}", recordings, seconds)
    raise AssertionError(f"no run was cancelled in its phase {phase.name}, in {TRIES} tries")


def _while_it_is_paused(world: World) -> Done:
    """The trainer of a paused run is gone already; so is the cancelled run at once."""
    laboratory = world.laboratory
    run_id = laboratory.submit()
    laboratory.wait_for_recording(run_id, 2)
    laboratory.command(run_id, "pause")
    laboratory.wait_for(run_id, PAUSED)
    seconds = _cancel(laboratory, run_id)
    return _done("it is paused", check(world, run_id, CANCELLED), seconds)


def _cancel(laboratory: Laboratory, run_id: int) -> float:
    """Seconds until the run is cancelled, or completed, and its process gone."""
    began = time.monotonic()
    laboratory.command(run_id, "cancel")
    laboratory.wait_for(run_id, CANCELLED, COMPLETED, seconds=CANCEL_SECONDS)
    eventually(lambda: not laboratory.trainers_of(run_id), "the end of its trainer", CANCEL_SECONDS)
    seconds = time.monotonic() - began
    assert seconds < CANCEL_SECONDS, f"run {run_id} was cancelled after {seconds:.1f} s"
    return seconds


def _reached(laboratory: Laboratory, run_id: int, phase: str) -> bool:
    run = laboratory.run(run_id)
    return run.status is COMPLETED or (run.status is RUNNING and _phase(run) == phase)


def _phase(run: Run) -> str | None:
    return (run.progress or {}).get("phase")


def _done(when: str, recordings: int, seconds: float) -> Done:
    return Done(f"cancel while {when}", 1, 1, recordings, [seconds], "until its process is gone")


def _many_pictures(folder: Path) -> str:
    """The name of a dataset that takes seconds to load: small pictures in a zip."""
    folder.mkdir(exist_ok=True)
    picture = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(picture, "PNG")
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for n in range(PICTURES):
            archive.writestr(f"{'test' if n < 2 else 'train'}/{n % 2}/{n}.png", picture.getvalue())
    return "imagefolder:many.zip"
