"""Two probe images beside each other."""

from typing import Any

from backend.schemas import Measure, Quantity
from backend.series import LayerRows, PairCourse
from backend.services import pairs
from frontend.figures.chart import Chart
from frontend.figures.pair import (
    LAYERS_HEIGHT,
    closeness_of_pair,
    closeness_words,
    layers_of_pair,
    pair_course_table,
    pair_layers_table,
    ranks_of_pair,
)
from frontend.figures.rows import layers_over_training
from frontend.figures.tables import layer_rows_table
from frontend.views.similarity import CROSS_PATH
from frontend.views.view import Scene, View

OVER_TRAINING = ("image", "partner", "layer", "quantity")
BOTH = ("image", "partner")
MEASURES = ("cross_path", "closeness")


def _partner(scene: Scene) -> int:
    return scene.chosen.partner or 0


def _read_course(session: Any, scene: Scene) -> PairCourse:
    place = (scene.quantity, scene.layer, scene.image, _partner(scene))
    return pairs.pair_course(session, scene.run, *place)


def _layer_names(scene: Scene) -> list[str]:
    return [layer["name"] for layer in scene.facts["layers"]]


PAIR_CLOSENESS = View(
    name="pair-closeness",
    title="Overlap of the two images",
    shows="How many units both images switch on in the chosen layer, or how alike their activations are.",
    definition="Paths: the overlap pᵢᵗ · pⱼᵗ, a count of units. Activations: the cosine aᵢᵗ · aⱼᵗ / |aᵢᵗ| |aⱼᵗ|. Gaps "
    "are undefined: no unit was on.",
    section="Sec. 8 and App. E",
    parameters=OVER_TRAINING,
    required=BOTH,
    read=_read_course,
    draw=lambda data, scene: closeness_of_pair(data, scene.epochs, scene.look, revision=scene.revision),
    table=lambda data, scene: pair_course_table(data, scene.epochs),
)

PAIR_RANKS = View(
    name="pair-ranks",
    title="Rank of each other",
    shows="Which rank each image has among the neighbours of the other, in the chosen layer.",
    definition="All other probe images sorted by closeness, rank 0 the nearest, ties to the smaller index. The two "
    "directions differ: the nearest of one need not have it as its own nearest. The axis is logarithmic.",
    section="Sec. 8, Fig. 6",
    parameters=OVER_TRAINING,
    required=BOTH,
    read=_read_course,
    draw=lambda data, scene: ranks_of_pair(
        data,
        (scene.names[scene.image], scene.names[_partner(scene)]),
        scene.epochs,
        scene.look,
        revision=scene.revision,
    ),
    table=lambda data, scene: pair_course_table(data, scene.epochs),
)

PAIR_LAYERS = View(
    name="pair-layers",
    title="Every layer at the chosen recording",
    shows="Cross-path similarity of the two images, their overlap and their ranks, layer by layer.",
    definition=f"{CROSS_PATH} begins with recording 1; below it the overlap pᵢᵗ · pⱼᵗ, for activations the cosine. "
    "Undefined ones are left out. Dots are both ranks, 0 on top.",
    section="Secs. 6.1 and 8",
    parameters=("image", "partner", "quantity", "recording"),
    required=BOTH,
    read=lambda session, scene: pairs.pair_layers(
        session, scene.run, scene.quantity, scene.t, scene.image, _partner(scene)
    ),
    draw=lambda data, scene: layers_of_pair(data, _layer_names(scene), scene.look, revision=scene.revision),
    table=lambda data, scene: pair_layers_table(data, _layer_names(scene)),
    height=LAYERS_HEIGHT,
)


def _measure(scene: Scene) -> Measure:
    return Measure(scene.chosen.measure or MEASURES[0])


def _read_rows(session: Any, scene: Scene) -> LayerRows:
    pair = (scene.image, _partner(scene))
    return pairs.pair_over_training(session, scene.run, _measure(scene), scene.quantity, *pair)


def _draw_rows(data: LayerRows, scene: Scene) -> Chart:
    closeness = _measure(scene) is Measure.CLOSENESS
    return layers_over_training(
        data,
        _layer_names(scene),
        scene.epochs,
        scene.look,
        layer=scene.layer,
        revision=f"{scene.image} {_partner(scene)} {scene.quantity} {scene.chosen.measure}",
        value=closeness_words(scene.quantity) if closeness else "cross-path similarity",
        counted=closeness and scene.quantity is Quantity.PATH,
    )


PAIR_LAYERS_OVER_TRAINING = View(
    name="pair-layers-over-training",
    title="Every layer over training",
    shows="Cross-path similarity or closeness of the two images, a row per layer and a column per recording.",
    definition=f"Cross-path: {CROSS_PATH}. Closeness: the overlap pᵢᵗ · pⱼᵗ, for activations the cosine. Grey cells "
    "are undefined. Click a cell to choose its layer and recording.",
    section="Secs. 6.1 and 8",
    parameters=("image", "partner", "layer", "quantity", "measure"),
    required=BOTH,
    measures=MEASURES,
    read=_read_rows,
    draw=_draw_rows,
    table=lambda data, scene: layer_rows_table(data, _layer_names(scene), scene.epochs, _measure(scene)),
)
