"""What a laboratory's database holds after a while, made of random numbers: one large run, and a thousand others."""

import io
import os
from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image
from sqlalchemy import func, insert, literal, select, text, update
from sqlalchemy.orm import Session

from backend import artifacts, codec
from backend.db import engine, session_scope
from backend.models import Answer, Layer, LayerArray, LayerSummary, Recording, Run, RunTag, now
from backend.schemas import Measure, Quantity, Recorded, RecordingOut, RunSpec, RunStatus
from backend.services.early_to_mid import store_ratios
from backend.services.events import add_event
from backend.summary import summarise
from tests.made_runs import make_run

IMAGES, LAYERS, RECORDINGS, UNITS = 256, 17, 100, 1024
RUNS, OVERLAID, OVERLAID_LAYERS, OVERLAID_RECORDINGS = 1_000, 250, 4, 30
NETS = ("resnet18", "alexnet", "vgg19", "mlp")


def fill() -> int:
    """Fill the database that the environment names; the number of the large run."""
    with patch.object(os, "fsync"):
        large = make_run(IMAGES, RECORDINGS, LAYERS, UNITS, epochs=RECORDINGS, name="Large").id
    for i in range(IMAGES):
        artifacts.write_image(large, i, picture(i))
    with session_scope() as session:
        add_runs(session)
    with session_scope() as session:
        for run in session.scalars(select(Run).join(RunTag).where(RunTag.tag == "overlaid")):
            store_ratios(session, run)
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return large


def picture(i: int) -> bytes:
    """A PNG of 32 × 32 pixels."""
    pixels = np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def add_runs(session: Session) -> None:
    """Completed runs of four nets; the last ones have distributions of all pairs, and the tag `overlaid`."""
    first = (session.scalar(select(func.max(Run.id))) or 0) + 1
    runs, tags = [], []
    for n in range(RUNS):
        net, tag = NETS[n % len(NETS)], "overlaid" if n >= RUNS - OVERLAID else "older"
        spec = {"net": net, "dataset": "cifar10", "epochs": 30, "seed": n, "tags": [tag]}
        when = now() - timedelta(minutes=RUNS - n)
        recorded = OVERLAID_RECORDINGS - 1 if tag == "overlaid" else None
        runs.append(
            {
                "id": first + n, "name": f"Run {n} of {net}", "net": net, "dataset": "cifar10", "created_at": when,
                "spec": RunSpec.model_validate(spec).model_dump(mode="json"), "status": RunStatus.COMPLETED,
                "updated_at": when,
                "started_at": when, "finished_at": when, "last_recording": recorded, "attempt": 1,
            }
        )  # fmt: skip
        tags.append({"run_id": first + n, "tag": tag})
    session.execute(insert(Run), runs)
    session.execute(insert(RunTag), tags)
    for n in range(RUNS - OVERLAID, RUNS):
        add_distributions(session, first + n)
    if engine().dialect.name == "postgresql":
        session.execute(text("SELECT setval('runs_id_seq', (SELECT max(id) FROM runs))"))


def add_distributions(session: Session, run_id: int) -> None:
    rng = np.random.default_rng(run_id)
    layers, times = range(1, OVERLAID_LAYERS + 1), range(OVERLAID_RECORDINGS)
    known = [{"name": f"relu{k}", "kind": "linear", "units": UNITS, "shape": [UNITS]} for k in layers]
    session.execute(insert(Layer), [{"run_id": run_id, "k": k, **one} for k, one in zip(layers, known, strict=True)])
    session.execute(insert(Recording), [recording(run_id, t) for t in times])
    places = list(product((Measure.CROSS_PATH, Measure.SELF_SIMILARITY), layers, times[1:]))
    session.execute(
        insert(LayerSummary),
        [
            {"run_id": run_id, "measure": measure, "quantity": Recorded.PATH, "k": k, "t": t}
            | summarise(rng.beta(8, 2, 100).astype(np.float32))._asdict()
            for measure, k, t in places
        ],
    )


def recording(run_id: int, t: int, epoch: float | None = None) -> dict[str, Any]:
    accuracy = 0.9 - 0.8 / (t + 1) + run_id % 97 / 2000
    return {
        "run_id": run_id, "t": t, "epoch": float(t) if epoch is None else epoch, "step": 10 * t, "lr": 0.1,
        "train_loss": None if t == 0 else 1 / t, "train_accuracy": accuracy + 0.05, "test_loss": 1.5,
        "test_accuracy": accuracy, "seconds": 2.0 * t, "attempt": 1, "created_at": now(),
    }  # fmt: skip


def start(run_id: int) -> None:
    """Let the run train again, as far as anyone can see; its sign of life holds for an hour."""
    with session_scope() as session:
        states = {"status": RunStatus.RUNNING, "finished_at": None, "lease": "made", "worker": "made@here"}
        soon = now() + timedelta(hours=1)
        session.execute(update(Run).where(Run.id == run_id).values(**states, heartbeat_at=soon, started_at=now()))


def record(run_id: int) -> int:
    """One more recording of a made run, the values of its newest once more; its t."""
    with session_scope() as session:
        run = session.get_one(Run, run_id, with_for_update=True)
        layers = session.scalars(select(Layer.k).where(Layer.run_id == run_id).order_by(Layer.k)).all()
        last, t = run.last_recording or 0, (run.last_recording or 0) + 1
        for k in layers:
            if (paths := artifacts.read_paths(run_id, 1, last, k)) is not None:
                artifacts.write_paths(run_id, 1, t, k, paths)
        made = recording(run_id, t)
        session.add(Recording(**made))
        for table in (LayerArray, LayerSummary, Answer):
            copy(session, table, run_id, last, t)
        rows = np.stack([np.linspace(0.2, 1, t + 1), np.zeros(t + 1)])
        session.execute(
            insert(LayerArray),
            [
                {
                    "run_id": run_id, "measure": Measure.TWO_TIMES, "quantity": Quantity.PATH, "k": k, "t": t,
                    "data": codec.encode(rows),
                }
                for k in layers
            ],
        )  # fmt: skip
        run.last_recording = t
        shown = {name: value for name, value in made.items() if name != "run_id"}
        add_event(session, run, "recording", RecordingOut.model_validate(shown).model_dump(mode="json"))
    return t


def copy(session: Session, table: Any, run_id: int, last: int, t: int) -> None:
    columns = [column for column in table.__table__.columns if column.name != "t"]
    query = select(*columns, literal(t).label("t")).where(table.run_id == run_id, table.t == last)
    with suppress(AttributeError):
        query = query.where(table.measure != Measure.TWO_TIMES)
    session.execute(insert(table).from_select([*(column.name for column in columns), "t"], query))


def progress(run_id: int, step: int) -> None:
    """What a trainer tells twice a second."""
    with session_scope() as session:
        run = session.get_one(Run, run_id)
        run.progress = {"phase": "training", "step": step, "steps": 10_000}
