"""How much of a path is left between any two recordings: a map over (s, t), on average and of one image."""

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from sqlalchemy.orm import Session

from backend import artifacts, codec
from backend.errors import NotFound
from backend.schemas import Measure, Quantity
from backend.series import TimeMap
from backend.services.recordings import attempts, list_recordings
from backend.services.statistics import arrays_over_time, check_image, check_layer


def mean_over_images(session: Session, run_id: int, layer: int) -> TimeMap:
    """The mean over the probe images, as it was stored with each recording. Raises NotFound."""
    recordings, rows = arrays_over_time(session, run_id, Measure.TWO_TIMES, Quantity.PATH, layer)
    if not rows and list_recordings(session, run_id):
        raise NotFound(f"run {run_id} compares no two times: it does not keep the paths of all recordings")
    values, undefined = np.full((2, len(rows), len(rows)), np.nan)
    for t, row in enumerate(rows):
        values[: t + 1, t], undefined[: t + 1, t] = row
        values[t, : t + 1], undefined[t, : t + 1] = row
    return TimeMap(recordings, values, undefined.astype(np.int64))


def of_image(session: Session, run_id: int, layer: int, image: int) -> TimeMap:
    """One image's own map, computed from its stored paths. Raises NotFound, also where paths are not kept."""
    check_layer(session, run_id, Quantity.PATH, layer)
    check_image(session, run_id, image)
    made_by = attempts(session, run_id)
    recordings = sorted(made_by)
    paths = [_path(run_id, made_by[t], t, layer, image) for t in recordings]
    values = _similarities(np.stack(paths)) if paths else np.empty((0, 0))
    return TimeMap(np.array(recordings, dtype=np.int64), values, np.isnan(values).astype(np.int64))


def _path(run_id: int, attempt: int, t: int, layer: int, image: int) -> UInt8[ndarray, " bytes"]:
    data = artifacts.read_paths(run_id, attempt, t, layer)
    if data is None:
        raise NotFound(f"run {run_id} does not keep the paths of recording {t}, which the map of one image needs")
    path: UInt8[ndarray, " bytes"] = codec.decode(data)[image]
    return path


def _similarities(paths: UInt8[ndarray, "recordings bytes"]) -> Float[ndarray, "recordings recordings"]:
    words = np.pad(paths, ((0, 0), (0, -paths.shape[1] % 8))).view(np.uint64)
    counts = np.array([np.bitwise_count(words & one).sum(axis=1, dtype=np.int64) for one in words])
    squares = counts.diagonal()
    products = squares[:, None] * squares
    return np.where(products > 0, counts / np.sqrt(np.maximum(products, 1)), np.nan)
