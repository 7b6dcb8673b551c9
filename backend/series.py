"""Path statistics over training, as arrays: what services answer, REST serves and figures draw.

NaN where a value is undefined. Axes: `recordings` are the T recordings that have the measure, in order of t; `images`
are all N probe images.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from backend.correlation import Correlation


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


class LayerDistributions(NamedTuple):
    """How a measure is spread in each of several layers."""

    layers: Int[ndarray, " layers"]
    distributions: list[Distribution]


class ImageStates(NamedTuple):
    """How every probe image stands at one recording, in one layer where that matters; NaN, and -1, where undefined."""

    recording: int
    predicted: Int[ndarray, " images"]
    loss: Float[ndarray, " images"]
    self_similarity: Float[ndarray, " images"]
    churn: Float[ndarray, " images"]
    cross_path: Float[ndarray, " images"]


class TimeMap(NamedTuple):
    """`p^s · p^t / (|p^s| |p^t|)` with s along the rows and t along the columns; symmetric, NaN where undefined.

    `undefined` counts the images that are left out of a mean.
    """

    recordings: Int[ndarray, " recordings"]
    values: Float[ndarray, "recordings recordings"]
    undefined: Int[ndarray, "recordings recordings"]


class ProjectionMap(NamedTuple):
    """Rows are the recordings s that the paths are of, columns the recordings t that the weights are of; NaN for s > t.

    `accuracy` is the share of images that are right, and of one image 1 or 0. `undefined` counts the images whose loss
    is not finite, which stay out of both.
    """

    recordings: Int[ndarray, " recordings"]
    loss: Float[ndarray, "recordings recordings"]
    accuracy: Float[ndarray, "recordings recordings"]
    undefined: Int[ndarray, "recordings recordings"]


class OverlapAgainstDistance(NamedTuple):
    """Both of every pair, in the order of `codec.to_pairs`, and how they go together."""

    overlap: Float[ndarray, " pairs"] | Int[ndarray, " pairs"]
    distance: Float[ndarray, " pairs"]
    correlation: Correlation


class Answers(NamedTuple):
    """Of all probe images at some recordings; a class of -1 and a NaN stand for a loss that is not finite."""

    recordings: Int[ndarray, " recordings"]
    labels: Int[ndarray, " images"]
    predicted: Int[ndarray, "recordings images"]
    loss: Float[ndarray, "recordings images"]

    @property
    def right(self) -> Bool[ndarray, "recordings images"]:
        return np.asarray(self.predicted == self.labels)

    def of(self, image: int) -> "Answers":
        """Those of one image, which is the only column then."""
        one = slice(image, image + 1)
        return Answers(self.recordings, self.labels[one], self.predicted[:, one], self.loss[:, one])


class PairCourse(NamedTuple):
    """Closeness of two images in a layer over training, and their ranks among `others` images; -1 has no rank.

    `rank` is that of the second image among the neighbours of the first, `back` that of the first among the second's.
    """

    recordings: Int[ndarray, " recordings"]
    closeness: Float[ndarray, " recordings"]
    rank: Int[ndarray, " recordings"]
    back: Int[ndarray, " recordings"]
    others: int


class PairLayers(NamedTuple):
    """The same two images in every layer at one recording; NaN where undefined or not recorded, rank -1 likewise."""

    layers: Int[ndarray, " layers"]
    cross_path: Float[ndarray, " layers"]
    closeness: Float[ndarray, " layers"]
    rank: Int[ndarray, " layers"]
    back: Int[ndarray, " layers"]
