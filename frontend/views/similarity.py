"""How similar paths are from recording to recording, spread over all pairs and over all images."""

from typing import Any

from backend.schemas import Measure
from backend.services import statistics
from frontend.figures.distribution import distribution_over_training
from frontend.figures.tables import distribution_table
from frontend.views.view import View

READING = (
    "Columns of shades are histograms, the thick line is the median, thin lines the 25–75 % and dotted ones the 5–95 % "
    "range. Below 1 an image uses other units than a recording ago. Undefined values (no shared unit) are left out and "
    "counted in the hover text. For activations a stands in place of p."
)
CROSS_PATH = "cᵢⱼᵗ = (pᵢᵗ ⊙ pⱼᵗ) · (pᵢᵗ⁻¹ ⊙ pⱼᵗ⁻¹) / |pᵢᵗ ⊙ pⱼᵗ| |pᵢᵗ⁻¹ ⊙ pⱼᵗ⁻¹|"
SELF_SIMILARITY = "sᵢᵗ = pᵢᵗ⁻¹ · pᵢᵗ / |pᵢᵗ⁻¹| |pᵢᵗ|"


def _over_training(measure: Measure, words: str, **texts: Any) -> View:
    return View(
        parameters=("layer", "quantity"),
        read=lambda session, scene: statistics.distribution(session, scene.run, measure, scene.quantity, scene.layer),
        draw=lambda data, scene: distribution_over_training(
            data, scene.epochs, scene.look, name=words, revision=scene.revision
        ),
        table=lambda data, scene: distribution_table(data, scene.epochs),
        **texts,
    )


CROSS_PATH_OVER_TRAINING = _over_training(
    Measure.CROSS_PATH,
    "cross-path similarity",
    name="cross-path",
    title="Cross-path similarity",
    shows="Whether two images meet on the same units as a recording ago, over all pairs of images.",
    definition=f"{CROSS_PATH} over all pairs i ≠ j. {READING}",
    section="Sec. 6.1, Figs. 1–3 and 16",
)
SELF_SIMILARITY_OVER_TRAINING = _over_training(
    Measure.SELF_SIMILARITY,
    "self-similarity",
    name="self-similarity",
    title="Self-similarity",
    shows="Whether an image takes the same path as a recording ago, over all images.",
    definition=f"{SELF_SIMILARITY} over all images i. {READING}",
    section="Sec. 7, Fig. 5",
)
