"""Two probe images beside each other."""

from typing import Any

from backend.series import PairCourse
from backend.services import pairs
from frontend.figures.pair import closeness_of_pair, layers_of_pair, pair_course_table, pair_layers_table, ranks_of_pair
from frontend.views.similarity import CROSS_PATH
from frontend.views.view import Scene, View

OVER_TRAINING = ("image", "partner", "layer", "quantity")
BOTH = ("image", "partner")


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
    shows="Cross-path similarity of the two images and their ranks, layer by layer.",
    definition=f"{CROSS_PATH} as bars; it begins with recording 1, undefined ones are left out. Dots are both "
    "ranks, 0 on top.",
    section="Secs. 6.1 and 8",
    parameters=("image", "partner", "quantity", "recording"),
    required=BOTH,
    read=lambda session, scene: pairs.pair_layers(
        session, scene.run, scene.quantity, scene.t, scene.image, _partner(scene)
    ),
    draw=lambda data, scene: layers_of_pair(data, _layer_names(scene), scene.look, revision=scene.revision),
    table=lambda data, scene: pair_layers_table(data, _layer_names(scene)),
)
