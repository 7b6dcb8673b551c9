"""What the net says of the probe images at each recording: the class that it takes them for, and its loss."""

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import codec
from backend.models import Answer, ClassName
from backend.series import Answers
from backend.services.recordings import list_images
from backend.services.runs import check_run
from backend.services.statistics import check_image, check_recording


def answers(session: Session, run_id: int, t: int | None = None, image: int | None = None) -> Answers:
    """Of all recordings or of recording t, of all images or of one. Raises NotFound.

    Recordings that were made before answers were stored have none.
    """
    check_run(session, run_id)
    if image is not None:
        check_image(session, run_id, image)
    query = select(Answer.t, Answer.predicted, Answer.loss).where(Answer.run_id == run_id).order_by(Answer.t)
    if t is not None:
        check_recording(session, run_id, t)
        query = query.where(Answer.t == t)
    rows = session.execute(query).all()
    labels = np.array([one.label for one in list_images(session, run_id)], dtype=np.int64)
    shape = (len(rows), len(labels))
    found = Answers(
        np.array([made for made, _, _ in rows], dtype=np.int64),
        labels,
        np.array([codec.decode(predicted) for _, predicted, _ in rows], dtype=np.int64).reshape(shape),
        np.array([codec.decode(loss) for _, _, loss in rows], dtype=np.float64).reshape(shape),
    )
    return found if image is None else found.of(image)


def class_names(session: Session, run_id: int) -> dict[int, str]:
    """What the classes are called; empty for a run that began before this was stored."""
    query = select(ClassName.label, ClassName.name).where(ClassName.run_id == run_id).order_by(ClassName.label)
    return dict(session.execute(query).all())
