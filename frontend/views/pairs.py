"""All pairs of images at one recording."""

from typing import Any

import numpy as np

from backend.schemas import Measure, Quantity
from backend.services import distances, statistics
from frontend.figures.matrix import HEIGHT, matrix_order, pair_matrix
from frontend.figures.overlap import HEIGHT as OVERLAP_HEIGHT
from frontend.figures.overlap import overlap_against_distance
from frontend.figures.tables import pairs_table
from frontend.views.similarity import CROSS_PATH
from frontend.views.view import Scene, View

OVERLAP_DISTANCE = View(
    name="overlap-distance",
    title="Path overlap against distance in data space",
    shows="Whether images that lie close in data space also share more units, at the chosen recording.",
    definition="Overlap pᵢᵗ · pⱼᵗ (for activations the cosine of aᵢᵗ and aⱼᵗ) against ‖xᵢ − xⱼ‖₂ of the pixels in "
    "[0, 1], for all pairs; on the right those of the same label. Many pairs are shown as the share of all on their "
    "side that lies in each cell; both sides have one scale. The pink ring is around the chosen pair. Draw a rectangle "
    "to see the pairs in it.",
    section="Sec. 6.4, Fig. 4 and App. D",
    parameters=("layer", "quantity", "recording"),
    read=lambda session, scene: distances.overlap_against_distance(
        session, scene.run, scene.quantity, scene.layer, scene.t
    ),
    draw=lambda data, scene: overlap_against_distance(
        data, scene.facts["labels"], scene.names, scene.look, revision=f"{scene.layer} {scene.quantity}"
    ),
    table=lambda data, scene: pairs_table(scene.facts["labels"], {"distance": data.distance, "overlap": data.overlap}),
    height=OVERLAP_HEIGHT,
)


def _value(scene: Scene) -> str:
    if scene.chosen.measure == "cross_path":
        return "cross-path similarity"
    return "overlap (units)" if scene.quantity is Quantity.PATH else "cosine of activations"


def _read_matrix(session: Any, scene: Scene) -> np.ndarray:
    place = (Measure(scene.chosen.measure or "closeness"), scene.quantity, scene.layer)
    if scene.chosen.measure == "cross_path" and scene.t == 0:
        return np.full((len(scene.names), len(scene.names)), np.nan)
    return statistics.pair_matrix(session, scene.run, *place, scene.t)


PAIR_MATRIX = View(
    name="pair-matrix",
    title="All pairs",
    shows="Cross-path similarity or closeness of every pair of probe images at the chosen recording.",
    definition=f"Cross-path: {CROSS_PATH}. Closeness: of paths the overlap pᵢᵗ · pⱼᵗ, of activations the cosine of aᵢᵗ "
    "and aⱼᵗ; the scale of colours says which. "
    "Rows and columns are ordered by label, by index, or by hierarchical clustering with average linkage. Grey cells "
    "are "
    "undefined. Click a cell to choose its pair.",
    section="Sec. 6",
    parameters=("layer", "quantity", "recording", "measure", "order"),
    measures=("cross_path", "closeness"),
    orders=("label", "index", "cluster"),
    read=_read_matrix,
    draw=lambda data, scene: pair_matrix(
        data,
        matrix_order(data, scene.facts["labels"], scene.chosen.order or "label"),
        scene.names,
        scene.look,
        value=_value(scene),
        revision=scene.revision,
    ),
    table=lambda data, scene: pairs_table(
        scene.facts["labels"], {scene.chosen.measure or "value": data[np.triu_indices(len(data), k=1)]}
    ),
    height=HEIGHT,
)
