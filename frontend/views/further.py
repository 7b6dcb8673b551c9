"""What the net says: answers, projections along earlier paths, and what single images would add to the weights."""

from typing import Any

from backend.schemas import Measure, Recorded
from backend.series import Answers, Distribution
from backend.services import answers, projections, statistics
from frontend.figures.answers import HEIGHT as ANSWERS_HEIGHT
from frontend.figures.answers import answers_over_training
from frontend.figures.distribution import distribution_over_training
from frontend.figures.maps import HEIGHT as MAP_HEIGHT
from frontend.figures.maps import projection_map
from frontend.figures.tables import answers_table, distribution_table, map_table
from frontend.views.view import Scene, View

PROJECTION = (
    "pᵢˢ | Hᵗ: the forward pass on the weights of t with every ReLU replaced by the gate that it was at s, output = "
    "pre-activation ⊙ pᵢˢ. On the diagonal it is the ordinary forward pass. Loss is the cross-entropy with the label; "
    "its scale of colours is logarithmic. Grey, s after t: later paths are not taken on earlier weights."
)

PROJECTION_MEAN = View(
    name="projection",
    title="Earlier paths on later weights",
    shows="What the net of recording t says of the images along their paths of recording s.",
    definition=f"{PROJECTION} Means over the probe images.",
    section="Eq. 9",
    read=lambda session, scene: projections.mean_over_images(session, scene.run),
    draw=lambda data, scene: projection_map(data, scene.look, alone=False, revision=scene.revision),
    table=lambda data, _scene: map_table(data.recordings, {"loss": data.loss, "accuracy": data.accuracy}),
    needs=Recorded.PROJECTION,
    height=MAP_HEIGHT,
)

IMAGE_PROJECTION = View(
    name="image-projection",
    title="Its earlier paths on later weights",
    shows="What the net of recording t says of this image along its path of recording s.",
    definition=PROJECTION,
    section="Eq. 9",
    parameters=("image",),
    required=("image",),
    read=lambda session, scene: projections.of_image(session, scene.run, scene.image),
    draw=lambda data, scene: projection_map(data, scene.look, alone=True, revision=scene.revision),
    table=lambda data, _scene: map_table(data.recordings, {"loss": data.loss, "right": data.accuracy}),
    needs=Recorded.PROJECTION,
    height=MAP_HEIGHT,
)


def _read_functions(session: Any, scene: Scene) -> Distribution:
    measure = Measure(scene.chosen.measure or "closeness")
    return statistics.distribution(session, scene.run, measure, Recorded.IMAGE_FUNCTION, scene.layer)


IMAGE_FUNCTION = View(
    name="image-function",
    title="Image functions",
    shows="How alike what single images would add to the layer's weights is.",
    definition="The cosine of per-image weight gradients fᵢᵗ = zᵢ aᵢᵀ (over patches for a convolution): closeness "
    "compares images i ≠ j at the same recording, self_similarity one image at t and t − 1. Shades, lines and bands "
    "are "
    "read as those of cross-path similarity; the range is −1 to 1.",
    section="Eqs. 3 and 10, App. C",
    parameters=("layer", "measure"),
    measures=("closeness", "self_similarity"),
    read=_read_functions,
    draw=lambda data, scene: distribution_over_training(
        data, scene.epochs, scene.look, name="cosine", revision=scene.revision, least=-1.0
    ),
    table=lambda data, scene: distribution_table(data, scene.epochs),
    needs=Recorded.IMAGE_FUNCTION,
)


def _read_answers(session: Any, scene: Scene) -> tuple[Answers, dict[int, str]]:
    found = answers.answers(session, scene.run, image=scene.image)
    return found, answers.class_names(session, scene.run)


IMAGE_ANSWERS = View(
    name="image-answers",
    title="What the net says of this image",
    shows="The image's loss and the class that the net takes it for, recording by recording.",
    definition="The ordinary forward pass in eval mode: cross-entropy with the label, and the class of the largest "
    "logit. "
    "A circle is right, a cross is wrong. Compare with the figures beside it: did the path change when the answer did?",
    section="beyond the paper",
    parameters=("image",),
    required=("image",),
    read=_read_answers,
    draw=lambda data, scene: answers_over_training(data[0], data[1], scene.epochs, scene.look, revision=scene.revision),
    table=lambda data, scene: answers_table(data[0], data[1], scene.epochs),
    height=ANSWERS_HEIGHT,
)
