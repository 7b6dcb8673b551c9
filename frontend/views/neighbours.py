"""How the nearest neighbours change: of all images, and of one."""

from typing import Any

from backend.series import Distribution
from backend.services import statistics
from frontend.figures.change import change_over_training, share_over_training
from frontend.figures.chart import Chart
from frontend.figures.tables import distribution_table, over_training
from frontend.views.view import Scene, View

SHARES = {
    "churn": ("share of new neighbours", statistics.churn_distribution),
    "label_agreement": ("share of the same label", statistics.label_agreement_distribution),
}
CHURN = (
    "The neighbours of an image are the 6 others of which it shares most units (paths), or whose activations have the "
    "largest cosine. Churn: the share of them that were not among them at the recording before. Same label: the share "
    "that bears the image's label."
)


def _read(session: Any, scene: Scene) -> Distribution:
    _, spread = SHARES[scene.chosen.measure or "churn"]
    return spread(session, scene.run, scene.quantity, scene.layer)


def _draw(data: Distribution, scene: Scene) -> Chart:
    words, _ = SHARES[scene.chosen.measure or "churn"]
    return share_over_training(data, scene.epochs, scene.look, name=words, revision=scene.revision)


CHANGING_NEIGHBOURS = View(
    name="changing-neighbours",
    title="Changing neighbours",
    shows="How many of an image's nearest neighbours are new, or of its own label, over all images.",
    definition=f"{CHURN} The line is the mean over the images, the bands hold the middle 50 % and 90 % of them; "
    "hovering tells the median. Images without a neighbour are left out and counted there.",
    section="Sec. 8",
    parameters=("layer", "quantity", "measure"),
    measures=tuple(SHARES),
    read=_read,
    draw=_draw,
    table=lambda data, scene: distribution_table(data, scene.epochs),
)

IMAGE_CHANGING_NEIGHBOURS = View(
    name="image-changing-neighbours",
    title="How its neighbours change",
    shows="How many of the image's 6 nearest neighbours are new, and how many are of its own label.",
    definition=f"{CHURN} A gap: the image had no neighbour.",
    section="Sec. 8",
    parameters=("image", "layer", "quantity"),
    required=("image",),
    read=lambda session, scene: statistics.neighbours_of_image(
        session, scene.run, scene.quantity, scene.layer, scene.image
    ),
    draw=lambda data, scene: change_over_training(data, scene.epochs, scene.look, revision=scene.revision),
    table=lambda data, scene: over_training(
        data.recordings, scene.epochs, {"churn": data.churn, "label_agreement": data.label_agreement}
    ),
)
