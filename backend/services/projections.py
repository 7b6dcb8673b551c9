"""Projections: what the net of one recording says of the probe images along their paths of an earlier one (Eq. 9)."""

from collections.abc import Iterable

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import codec
from backend.errors import NotFound
from backend.models import Projection
from backend.schemas import Recorded
from backend.series import ProjectionMap
from backend.services.runs import get_run
from backend.services.statistics import check_image


def mean_over_images(session: Session, run_id: int) -> ProjectionMap:
    """The means over the probe images. Raises NotFound."""
    _check_recorded(session, run_id)
    columns = (Projection.s, Projection.t, Projection.loss, Projection.accuracy, Projection.undefined)
    return _map(session.execute(select(*columns).where(Projection.run_id == run_id)))


def of_image(session: Session, run_id: int, image: int) -> ProjectionMap:
    """Those of one image. Raises NotFound."""
    _check_recorded(session, run_id)
    check_image(session, run_id, image)
    rows = session.execute(select(Projection.s, Projection.t, Projection.data).where(Projection.run_id == run_id))
    values = ((s, t, *codec.decode(data)[:, image]) for s, t, data in rows)
    return _map((s, t, loss, right, np.isnan(loss)) for s, t, loss, right in values)


def _check_recorded(session: Session, run_id: int) -> None:
    quantities = get_run(session, run_id).spec.quantities
    if Recorded.PROJECTION not in quantities:
        raise NotFound(f"run {run_id} records {', '.join(quantities)}, not projection")


def _map(rows: Iterable[tuple[int, int, float | None, float | None, int]]) -> ProjectionMap:
    cells = list(rows)
    recordings = sorted({row[1] for row in cells})
    place = {t: n for n, t in enumerate(recordings)}
    loss, accuracy, undefined = np.full((3, len(recordings), len(recordings)), np.nan)
    for s, t, *values in cells:
        for array, value in zip((loss, accuracy, undefined), values, strict=True):
            array[place[s], place[t]] = np.nan if value is None else value
    return ProjectionMap(np.array(recordings, dtype=np.int64), loss, accuracy, np.nan_to_num(undefined).astype(int))
