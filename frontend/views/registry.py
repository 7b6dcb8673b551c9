"""All views, by name. Adding one here is all that it takes for REST and the command line to offer it."""

from backend.errors import NotFound
from frontend.views import further, image, layers, neighbours, pair, pairs, similarity, training
from frontend.views.view import View

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        training.TRAINING,
        similarity.CROSS_PATH_OVER_TRAINING,
        similarity.SELF_SIMILARITY_OVER_TRAINING,
        layers.LAYER_DISTRIBUTIONS,
        layers.LAYER_MEDIANS,
        pairs.OVERLAP_DISTANCE,
        pairs.PAIR_MATRIX,
        layers.TWO_TIMES_MEAN,
        layers.EARLY_TO_MID,
        neighbours.CHANGING_NEIGHBOURS,
        further.PROJECTION_MEAN,
        further.IMAGE_FUNCTION,
        image.IMAGE_LAYERS,
        image.IMAGE_SELF_SIMILARITY,
        image.IMAGE_CROSS_PATH,
        image.PAIR_CROSS_PATH,
        image.NEIGHBOUR_RANKS,
        image.NEIGHBOUR_CLOSENESS,
        neighbours.IMAGE_CHANGING_NEIGHBOURS,
        pair.PAIR_CLOSENESS,
        pair.PAIR_RANKS,
        pair.PAIR_LAYERS,
        pair.PAIR_LAYERS_OVER_TRAINING,
        layers.IMAGE_TWO_TIMES,
        further.IMAGE_ANSWERS,
        further.IMAGE_PROJECTION,
    )
}


def view_called(name: str) -> View:
    """Raises NotFound that names what exists."""
    if name not in VIEWS:
        raise NotFound(f"there is no figure {name!r}; there are {', '.join(VIEWS)}")
    return VIEWS[name]
