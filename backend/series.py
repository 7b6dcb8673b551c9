"""Path statistics over training, as arrays: what services answer, REST serves and figures draw.

NaN where a value is undefined. Axes: `recordings` are the T recordings that have the measure, in order of t; `images`
are all N probe images.
"""

from typing import NamedTuple

from jaxtyping import Float, Int
from numpy import ndarray


class Distribution(NamedTuple):
    """How a measure is spread over the pairs (or images) of a layer, recording by recording."""

    recordings: Int[ndarray, " recordings"]
    defined: Int[ndarray, " recordings"]
    undefined: Int[ndarray, " recordings"]
    mean: Float[ndarray, " recordings"]
    std: Float[ndarray, " recordings"]
    quantiles: Float[ndarray, "recordings 9"]
    histogram: Int[ndarray, "recordings 100"]


class ImageRows(NamedTuple):
    """A measure of every image at each recording; against one image where it is a measure of pairs (NaN at itself)."""

    recordings: Int[ndarray, " recordings"]
    values: Float[ndarray, "recordings images"]


class LayerRows(NamedTuple):
    """A measure of one image in every layer at each recording."""

    layers: Int[ndarray, " layers"]
    recordings: Int[ndarray, " recordings"]
    values: Float[ndarray, "layers recordings"]


class Neighbours(NamedTuple):
    """The closeness of every image to one image over training, and their ranks: 0 is the nearest, -1 has no rank.

    `nearest` holds the first few by rank (-1 past the last that has one), `churn` the share of those that were not
    among them at the recording before (NaN at the first), `label_agreement` the share of those that bear the image's
    own label.
    """

    recordings: Int[ndarray, " recordings"]
    closeness: Float[ndarray, "recordings images"]
    ranks: Int[ndarray, "recordings images"]
    nearest: Int[ndarray, "recordings count"]
    churn: Float[ndarray, " recordings"]
    label_agreement: Float[ndarray, " recordings"]
