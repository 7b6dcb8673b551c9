"""One probe image: its own path over training, and the other images beside it."""

from collections.abc import Callable
from typing import Any

from backend.schemas import Measure
from backend.series import ImageRows
from backend.services import statistics
from frontend.figures.band import line_over_band
from frontend.figures.chart import Chart
from frontend.figures.look import PARTNER
from frontend.figures.neighbours import closeness_over_training, ranks_over_training
from frontend.figures.rows import layers_over_training, pairs_over_training, row_order
from frontend.figures.tables import image_rows_table, layer_rows_table, neighbours_table
from frontend.views.similarity import CROSS_PATH, SELF_SIMILARITY
from frontend.views.view import Scene, View

NEIGHBOURS = (
    "Closeness is the path overlap pᵢᵗ · pⱼᵗ, the number of units that both images switch on; for activations it is "
    "the cosine. Rank 0 is the nearest; ties go to the smaller index."
)


def _layer_names(scene: Scene) -> list[str]:
    return [layer["name"] for layer in scene.facts["layers"]]


IMAGE_LAYERS = View(
    name="image-layers",
    title="Self-similarity in every layer",
    shows="How much of its path the image kept since the recording before, layer by layer.",
    definition=f"{SELF_SIMILARITY}: 1 means that exactly the same units are on. For activations a stands in place of "
    "p. Grey cells are undefined: no unit was on. Click a cell to choose its layer and recording.",
    section="Sec. 7",
    parameters=("image", "quantity", "layer"),
    required=("image",),
    read=lambda session, scene: statistics.self_similarity_of_image(session, scene.run, scene.quantity, scene.image),
    draw=lambda data, scene: layers_over_training(
        data,
        _layer_names(scene),
        scene.epochs,
        scene.look,
        layer=scene.layer,
        revision=f"{scene.image} {scene.quantity}",
    ),
    table=lambda data, scene: layer_rows_table(data, _layer_names(scene), scene.epochs, "self_similarity"),
)

IMAGE_SELF_SIMILARITY = View(
    name="image-self-similarity",
    title="Self-similarity in this layer",
    shows="The image's line against the band of all probe images.",
    definition=f"{SELF_SIMILARITY} in the chosen layer. Bands hold the middle 50 % and 90 % of all images, the dashed "
    "line is their median; undefined values are left out.",
    section="Sec. 7",
    parameters=("image", "layer", "quantity"),
    required=("image",),
    read=lambda session, scene: statistics.self_similarity_of_images(session, scene.run, scene.quantity, scene.layer),
    draw=lambda data, scene: line_over_band(
        data,
        scene.image,
        scene.epochs,
        scene.look,
        title_y="self-similarity",
        name=scene.names[scene.image],
        colour=scene.look.line,
        revision=scene.revision,
    ),
    table=lambda data, scene: image_rows_table(data, scene.names, scene.epochs, "self_similarity"),
)


def _read_pairs(session: Any, scene: Scene) -> ImageRows:
    return statistics.pairs_of_image(session, scene.run, Measure.CROSS_PATH, scene.quantity, scene.layer, scene.image)


IMAGE_CROSS_PATH = View(
    name="image-cross-path",
    title="Cross-path similarity with every other image",
    shows="Whether the units shared with each other image are the same as a recording ago; one row per image.",
    definition=f"{CROSS_PATH}. Grey cells are undefined: the two images shared no unit. Click a cell to choose partner "
    "and recording; the pink frame marks the partner.",
    section="Sec. 6.1",
    parameters=("image", "layer", "quantity", "order"),
    required=("image",),
    orders=("label", "value"),
    read=_read_pairs,
    draw=lambda data, scene: pairs_over_training(
        data,
        row_order(data, scene.facts["labels"], scene.image, scene.chosen.order or "label"),
        scene.names,
        scene.epochs,
        scene.look,
        partner=None,
        revision=scene.revision,
    ),
    table=lambda data, scene: image_rows_table(data, scene.names, scene.epochs, "cross_path"),
    height=460,
)

PAIR_CROSS_PATH = View(
    name="pair-cross-path",
    title="Cross-path similarity of the chosen pair",
    shows="The line of the two images against the band of the first one's pairs with all others.",
    definition=f"{CROSS_PATH} of both images. Bands hold the middle 50 % and 90 % of the pairs.",
    section="Sec. 6.1",
    parameters=("image", "layer", "quantity", "partner"),
    required=("image",),
    read=_read_pairs,
    draw=lambda data, scene: line_over_band(
        data,
        scene.chosen.partner,
        scene.epochs,
        scene.look,
        title_y="cross-path similarity",
        name="" if scene.chosen.partner is None else f"with {scene.names[scene.chosen.partner]}",
        colour=PARTNER,
        height=460,
        revision=f"{scene.image} {scene.layer} {scene.quantity}",
    ),
    table=lambda data, scene: image_rows_table(data, scene.names, scene.epochs, "cross_path"),
    height=460,
)


def _neighbours(
    name: str, title: str, shows: str, note: str, draw: Callable[[Any, Scene], Chart], measures: tuple[str, ...] = ()
) -> View:
    return View(
        name=name,
        title=title,
        shows=shows,
        definition=f"{NEIGHBOURS} {note}",
        section="Sec. 8, Fig. 6 and App. E",
        parameters=("image", "layer", "quantity", "recording", *(["measure"] if measures else [])),
        required=("image",),
        measures=measures,
        read=lambda session, scene: statistics.neighbours_of_image(
            session, scene.run, scene.quantity, scene.layer, scene.image
        ),
        draw=draw,
        table=lambda data, scene: neighbours_table(data, scene.names, scene.epochs),
        height=380,
    )


NEIGHBOUR_RANKS = _neighbours(
    "neighbour-ranks",
    "Neighbours over training",
    "The six images nearest at the selected recording, and which rank they had at all others.",
    "The axis is logarithmic.",
    lambda data, scene: ranks_over_training(
        data, scene.names, scene.epochs, scene.look, revision=scene.revision, t=scene.t
    ),
)
NEIGHBOUR_CLOSENESS = _neighbours(
    "neighbour-closeness",
    "Closeness of these neighbours",
    "How close the same six images were at every recording.",
    "Units shared (paths) or cosine (activations): the quantity behind the ranks. A logarithmic axis has no 0.",
    lambda data, scene: closeness_over_training(
        data,
        scene.names,
        scene.epochs,
        scene.look,
        log=scene.chosen.measure == "log",
        revision=scene.revision,
        t=scene.t,
    ),
    measures=("linear", "log"),
)
