"""All layers at a glance, any two recordings, and the stages of training."""

from typing import Any

from backend.schemas import Measure, Recorded
from backend.services import early_to_mid, overview, runs, two_times
from frontend.components.facts import ALL_PATHS
from frontend.figures.early import HEIGHT as EARLY_HEIGHT
from frontend.figures.early import Stages, early_to_mid_of_layers
from frontend.figures.maps import HEIGHT as MAP_HEIGHT
from frontend.figures.maps import time_map
from frontend.figures.multiples import distributions_of_layers
from frontend.figures.rows import layers_over_training
from frontend.figures.tables import early_table, layer_rows_table, layers_table, map_table
from frontend.figures.training import HEIGHT as LEARNING_HEIGHT
from frontend.views.similarity import CROSS_PATH, READING, SELF_SIMILARITY
from frontend.views.view import Scene, View

MEASURES = ("cross_path", "self_similarity")
WORDS = {Measure.CROSS_PATH: "cross-path similarity", Measure.SELF_SIMILARITY: "self-similarity"}
TWO_TIMES = "pᵢˢ · pᵢᵗ / |pᵢˢ| |pᵢᵗ|"


def layer_names(scene: Scene) -> list[str]:
    return [layer["name"] for layer in scene.facts["layers"]]


def _measure(scene: Scene) -> Measure:
    return Measure(scene.chosen.measure or MEASURES[0])


LAYER_DISTRIBUTIONS = View(
    name="layer-distributions",
    title="Similarity in every layer",
    shows="How cross-path similarity or self-similarity is spread in each layer, recording by recording.",
    definition=f"cross-path: {CROSS_PATH} over all pairs; self-similarity: {SELF_SIMILARITY} over all images. "
    f"{READING} "
    "Click a layer's chart to choose that layer.",
    section="Sec. 6.1 and 7, Figs. 1–3, 5 and 16",
    parameters=("quantity", "measure"),
    measures=MEASURES,
    read=lambda session, scene: overview.distributions_of_layers(session, scene.run, _measure(scene), scene.quantity),
    draw=lambda data, scene: distributions_of_layers(
        data, layer_names(scene), scene.epochs, scene.look, title_y=WORDS[_measure(scene)], revision=scene.revision
    ),
    table=lambda data, scene: layers_table(data, layer_names(scene), scene.epochs),
    height=640,
)

LAYER_MEDIANS = View(
    name="layer-medians",
    title="Medians of all layers",
    shows="The median over all pairs (or images) of each layer at each recording, in one map.",
    definition=f"The median of {CROSS_PATH} over all pairs, or of {SELF_SIMILARITY} over all images. Light means that "
    "paths change, dark that they stay; the layer whose row darkens last settles last. Click a cell to choose its "
    "layer "
    "and recording.",
    section="Sec. 6.1 and 7",
    parameters=("quantity", "measure", "layer"),
    measures=MEASURES,
    read=lambda session, scene: overview.medians_of_layers(session, scene.run, _measure(scene), scene.quantity),
    draw=lambda data, scene: layers_over_training(
        data,
        layer_names(scene),
        scene.epochs,
        scene.look,
        layer=scene.layer,
        revision=f"{scene.quantity} {scene.chosen.measure}",
        value="median",
        least_height=LEARNING_HEIGHT,
    ),
    table=lambda data, scene: layer_rows_table(data, layer_names(scene), scene.epochs, "median"),
    height=LEARNING_HEIGHT,
)

TWO_TIMES_MEAN = View(
    name="two-times",
    title="Paths at any two times",
    shows="How much of the images' paths is the same at any two recordings, on average; always of paths, in blue.",
    definition=f"The mean over all images of {TWO_TIMES} for all recordings s and t. A dark square towards the lower "
    "right means that paths have frozen. Images whose path is empty at s or t are left out and counted.",
    section="Sec. 7",
    parameters=("layer",),
    needs=Recorded.PATH,
    read=lambda session, scene: two_times.mean_over_images(session, scene.run, scene.layer),
    draw=lambda data, scene: time_map(data, scene.look, revision=scene.revision),
    table=lambda data, _scene: map_table(data.recordings, {"similarity": data.values, "undefined": data.undefined}),
    height=MAP_HEIGHT,
)

IMAGE_TWO_TIMES = View(
    name="image-two-times",
    title="Path of this image at any two times",
    shows="How much of the image's path is the same at any two recordings; always of paths, in blue.",
    definition=f"{TWO_TIMES} for all recordings s and t, from the stored paths of this image alone. A dark square "
    "towards the lower right means that its path has frozen.",
    section="Sec. 7",
    parameters=("image", "layer"),
    required=("image",),
    needs=ALL_PATHS,
    read=lambda session, scene: two_times.of_image(session, scene.run, scene.layer, scene.image),
    draw=lambda data, scene: time_map(data, scene.look, revision=scene.revision),
    table=lambda data, _scene: map_table(data.recordings, {"similarity": data.values}),
    height=MAP_HEIGHT,
)


def _read_stages(session: Any, scene: Scene) -> Stages:
    ratios = early_to_mid.early_to_mid_of(session, [scene.run])[scene.run][scene.quantity]
    means = overview.means_of_layers(session, scene.run, Measure.CROSS_PATH, scene.quantity)
    return Stages(ratios, means, runs.get_run(session, scene.run).spec.decays)


EARLY_TO_MID = View(
    name="early-to-mid",
    title="Early against middle of training",
    shows="How similar paths stay before the first decay of the learning rate, over the same up to the second.",
    definition=f"The mean of {CROSS_PATH} over all pairs and recordings up to the first decay, over the mean between "
    "the "
    "first and the second; both stages are shaded. The dashed line is the ratio over all layers.",
    section="Fig. 7",
    parameters=("quantity",),
    read=_read_stages,
    draw=lambda data, scene: early_to_mid_of_layers(
        data, layer_names(scene), scene.epochs, scene.look, revision=scene.revision
    ),
    table=lambda data, scene: early_table(data, layer_names(scene)),
    height=EARLY_HEIGHT,
)
