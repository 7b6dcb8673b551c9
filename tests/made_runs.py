"""A finished run made of random numbers, written through the same services as a trainer's; for tests of reading, and
for benchmarks."""

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from backend import artifacts, codec
from backend.db import session_scope
from backend.models import now
from backend.schemas import ImageOut, LayerOut, Measure, Quantity, Recorded, RecordingOut, RunSpec, RunStatus
from backend.services import leases, recordings, runs
from backend.services.recordings import AnswerMeasure, LayerMeasure, ProjectionMeasure
from backend.summary import summarise

PNG = b"\x89PNG\r\n\x1a\n made"

SUMMARISED = (Measure.CROSS_PATH, Measure.SELF_SIMILARITY)


class MadeRun(NamedTuple):
    """What was written: `arrays[measure, k, t]`, distances of pairs, `projections[s, t]` with a row of losses and one
    of verdicts, cosines of image `functions[measure, k, t]`, paths[k, t] as an N × D matrix of booleans, and
    answers[t].
    """

    id: int
    images: int
    recordings: int
    layers: int
    arrays: dict[tuple[Measure, int, int], ndarray]
    distances: ndarray
    projections: dict[tuple[int, int], ndarray]
    functions: dict[tuple[Measure, int, int], ndarray]
    paths: dict[tuple[int, int], ndarray]
    answers: dict[int, AnswerMeasure]


def make_run(images: int = 8, count: int = 4, layers: int = 2, units: int = 11, **spec: object) -> MadeRun:
    """A completed run with path statistics alone. The pair (0, 1) is undefined in layer 1 at recording 1."""
    rng = np.random.default_rng(0)
    made = RunSpec.model_validate({"net": "mlp", "dataset": "digits", "quantities": ["path"]} | spec)
    with session_scope() as session:
        run, _ = runs.submit(session, made)
    with session_scope() as session:
        lease = leases.claim(session, run.id, "tests@here")
        assert lease is not None
    with session_scope() as session:
        recordings.write_layout(
            session,
            lease,
            [LayerOut(k=k, name=f"relu{k}", kind="linear", units=units, shape=[units]) for k in range(1, layers + 1)],
            [ImageOut(i=i, dataset_index=10 * i, label=i % 3, class_name=f"class {i % 3}") for i in range(images)],
            [f"class {label}" for label in range(4)],
        )
    for i in range(images):
        artifacts.write_image(run.id, i, PNG)
    distances = rng.random(images * (images - 1) // 2).astype(np.float32)
    artifacts.write_distances(run.id, codec.encode(distances))
    arrays, paths, packed, projections, functions, answers = {}, {}, {}, {}, {}, {}
    for t in range(count):
        measures = []
        for k in range(1, layers + 1):
            paths[k, t] = rng.random((images, units)) < 0.5
            packed[k, t] = codec.pack_paths(paths[k, t])
            artifacts.write_paths(run.id, lease.attempt, t, k, codec.encode(packed[k, t]))
            counts = paths[k, t].astype(np.float32)
            closeness = codec.to_pairs((counts @ counts.T).astype(np.int32))
            found = {Measure.CLOSENESS: closeness, Measure.TWO_TIMES: _two_times([packed[k, s] for s in range(t + 1)])}
            if t > 0:
                pairs = rng.random(images * (images - 1) // 2).astype(np.float32)
                pairs[0] = np.nan if (k, t) == (1, 1) else pairs[0]
                found |= {Measure.CROSS_PATH: pairs, Measure.SELF_SIMILARITY: rng.random(images).astype(np.float32)}
            if Recorded.IMAGE_FUNCTION in made.quantities:
                measures += (cosines := _image_functions(rng, images, k, t))
                functions |= {(one.measure, k, t): one.values for one in cosines}
            for measure, values in found.items():
                arrays[measure, k, t] = values
                summary = summarise(values) if measure in SUMMARISED else None
                measures.append(LayerMeasure(measure, Quantity.PATH, k, values, summary))
        with session_scope() as session:
            found = _projections(rng, images, t) if Recorded.PROJECTION in made.quantities else []
            answers[t] = _answers(images, t)
            recordings.write_recording(session, lease, _recording(t), measures, found, answers[t])
        projections |= {(one.s, t): np.stack([one.loss, one.right]) for one in found}
    with session_scope() as session:
        leases.end(session, lease, RunStatus.COMPLETED)
    return MadeRun(run.id, images, count, layers, arrays, distances, projections, functions, paths, answers)


def _answers(images: int, t: int) -> AnswerMeasure:
    """The net takes image i for class i + t of 4, and cannot say of image 0 at recording 1."""
    predicted = (np.arange(images) + t) % 4
    loss = ((np.arange(images) + 1) / (t + 1)).astype(np.float32)
    if t == 1:
        predicted[0], loss[0] = -1, np.nan
    return AnswerMeasure(predicted, loss)


def _two_times(packed: list[ndarray]) -> ndarray:
    bits = np.stack(packed)
    shared = np.bitwise_count(bits & bits[-1]).sum(axis=2, dtype=np.int64)
    norms = np.sqrt(np.bitwise_count(bits).sum(axis=2, dtype=float) * shared[-1])
    similarity = np.where(norms > 0, shared / np.maximum(norms, 1), np.nan)
    undefined = np.isnan(similarity).sum(axis=1)
    defined = bits.shape[1] - undefined
    mean = np.where(defined > 0, np.nansum(similarity, axis=1) / np.maximum(defined, 1), np.nan)
    return np.stack([mean, undefined])


def _image_functions(rng: np.random.Generator, images: int, k: int, t: int) -> list[LayerMeasure]:
    """The cosine of the pair (0, 1) is undefined in layer 1 at recording 1."""
    pairs = rng.uniform(-1, 1, images * (images - 1) // 2).astype(np.float32)
    pairs[0] = np.nan if (k, t) == (1, 1) else pairs[0]
    found = {Measure.CLOSENESS: pairs}
    if t > 0:
        found[Measure.SELF_SIMILARITY] = rng.uniform(-1, 1, images).astype(np.float32)
    return [
        LayerMeasure(measure, Recorded.IMAGE_FUNCTION, k, values, summarise(values, least=-1.0))
        for measure, values in found.items()
    ]


def _projections(rng: np.random.Generator, images: int, t: int) -> list[ProjectionMeasure]:
    """Those of image 0 at recording 2 along the paths of 1 are undefined."""
    found = []
    for s in range(t + 1):
        loss, right = rng.random(images).astype(np.float32), (rng.random(images) < 0.5).astype(np.float32)
        if (s, t) == (1, 2):
            loss[0] = right[0] = np.nan
        found.append(ProjectionMeasure(s, loss, right))
    return found


def _recording(t: int) -> RecordingOut:
    return RecordingOut(
        t=t,
        epoch=float(t),
        step=10 * t,
        lr=0.1,
        train_loss=None if t == 0 else 1 / t,
        train_accuracy=0.1 * t,
        test_loss=1.5,
        test_accuracy=0.09 * t,
        seconds=2.0 * t,
        created_at=now(),
    )
