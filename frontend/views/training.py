"""How well the net learns."""

from typing import Any

from backend.services import recordings, runs
from frontend.figures.tables import training_table
from frontend.figures.training import HEIGHT, TrainingCurves, curves_of, training_curves
from frontend.views.view import Scene, View


def _read(session: Any, scene: Scene) -> TrainingCurves:
    decays = runs.get_run(session, scene.run).spec.decays
    return curves_of(recordings.list_recordings(session, scene.run), decays)


TRAINING = View(
    name="training",
    title="Learning",
    shows="Loss and accuracy at each recording, and where the learning rate falls.",
    definition="Measured on all clean training and test images in eval mode, never on augmented ones. The loss is the "
    "mean cross-entropy. Dashed vertical lines mark learning-rate decays. The rate of a recording is that of the last "
    "update before it. Click a point to go to its recording. A logarithmic axis has no 0.",
    section="Sec. 4",
    parameters=("measure",),
    measures=("linear", "log"),
    read=_read,
    draw=lambda data, scene: training_curves(
        data, scene.look, log_loss=scene.chosen.measure == "log", revision=f"training {scene.chosen.measure}"
    ),
    table=lambda data, _scene: training_table(data),
    height=HEIGHT,
)
