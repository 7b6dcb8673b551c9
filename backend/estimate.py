"""How many bytes a run will store, worked out before it starts.

The sizes follow from the spec, the net and the shape of the images; how well they compress was measured on runs of
AlexNet and ResNet-18 on digits, CIFAR-10 and ImageNet photographs (`docs/performance.md`). Checkpoints are stated by
themselves: two are kept of a run.
"""

from math import ceil, log2, log10, prod

from pydantic import BaseModel, Field

from backend import catalogue
from backend.artifacts import CHECKPOINTS_KEPT
from backend.plugins import InputShape, NetEntry, NetSize, net_entries
from backend.schemas import Quantity, RunSpec

PAIR_BYTES = 4
OVERLAPS_STORED = 0.34
"""Stored bytes per byte, after compression; overlaps are integers."""
SIMILARITIES_STORED = 0.76
PLAIN_PATHS_STORED = 0.52
"""Of packed paths without batch norm, where many units of the trained net are off for every image."""
SUMMARY_BYTES = 640
TWO_TIMES_BYTES = 16
PROJECTION_BYTES = 5
ANSWER_BYTES = 5
"""Of one image at one recording."""
DISTANCES_STORED = 0.87
PICTURES_STORED = 0.7
"""Of a probe image's bytes, as a PNG; one of 8×8 pixels, of CIFAR-10 and photographs take 0.59 to 0.75."""
PICTURE_BYTES = 75
"""Of a PNG without pixels."""
WEIGHT_BYTES = 8
"""In a checkpoint: a float32, and its momentum."""


class RunSize(BaseModel):
    """What a run will store; sizes are None where the net or the images are not known before it starts."""

    recordings: int = Field(description="how many, recording 0 among them")
    layers: int | None
    units: int | None = Field(description="of all layers together, for one image")
    recording_bytes: int | None = Field(description="of one recording, on average")
    total_bytes: int | None = Field(description="of all recordings, and the probe images; within about 20 %")
    checkpoint_bytes: int | None = Field(default=None, description="of the two newest checkpoints, beside total_bytes")


def run_size(spec: RunSpec) -> RunSize:
    """Raises InvalidInput where nets and datasets do not allow the spec."""
    catalogue.check(spec)
    net, dataset = net_entries()[spec.net], catalogue.datasets()[spec.dataset]
    recordings = _recordings(spec, dataset.train_images)
    if net.size is None or dataset.input_shape is None:
        return RunSize(recordings=recordings, layers=None, units=None, recording_bytes=None, total_bytes=None)
    size = net.size(dataset.input_shape)
    stored = _paths_stored(dataset.input_shape) if net.batch_norm else PLAIN_PATHS_STORED
    recorded = round(_paths_bytes(spec, size, recordings) * stored + _array_bytes(spec, size.layers, recordings))
    return RunSize(
        recordings=recordings,
        layers=size.layers,
        units=size.units,
        recording_bytes=recorded // recordings,
        total_bytes=recorded + round(_image_bytes(spec.probe.size, dataset.input_shape)),
        checkpoint_bytes=_checkpoint_bytes(net, dataset.input_shape, dataset.classes),
    )


def _paths_stored(input_shape: InputShape) -> float:
    """Of packed paths behind batch norm: 0.87 at 8 pixels, 0.67 at 32, 0.45 at 224.

    About half of the units are on; the larger the images, the more alike are neighbouring units.
    """
    return min(max(1.17 - 0.1 * log2(min(input_shape[1:])), 0.45), 0.95)


def _recordings(spec: RunSpec, train_images: int | None) -> int:
    every_epoch = 1 + ceil(spec.epochs / spec.recordings.every_epochs)
    if train_images is None:
        return every_epoch + spec.recordings.log_spaced
    steps = spec.epochs * ceil(train_images / spec.batch_size)
    return min(every_epoch + spec.recordings.log_spaced, steps + 1)


def _paths_bytes(spec: RunSpec, size: NetSize, recordings: int) -> float:
    """Of the packed paths that are kept, before compression."""
    kept = {"all": recordings, "last": 1, "none": 0}[spec.paths] if Quantity.PATH in spec.compared else 0
    return spec.probe.size * size.units / 8 * kept


def _checkpoint_bytes(net: NetEntry, input_shape: InputShape, classes: int | None) -> int | None:
    """None where the weights of the net, or the classes, are not known before it starts."""
    if net.weights is None or classes is None:
        return None
    return CHECKPOINTS_KEPT * WEIGHT_BYTES * net.weights(input_shape, classes)


def _image_bytes(images: int, input_shape: InputShape) -> float:
    """Of the probe images' pictures, and of their distances."""
    pairs = images * (images - 1) // 2
    return images * (prod(input_shape) * PICTURES_STORED + PICTURE_BYTES) + pairs * PAIR_BYTES * DISTANCES_STORED


def _array_bytes(spec: RunSpec, layers: int, recordings: int) -> float:
    """Of everything in the database."""
    images = spec.probe.size
    pairs = images * (images - 1) // 2
    times = recordings * (recordings + 1) / 2
    total = float(recordings * images * ANSWER_BYTES)
    for quantity in spec.quantities:
        if quantity == "projection":
            total += times / spec.recordings.projection_every**2 * images * PROJECTION_BYTES
            continue
        closeness = pairs * PAIR_BYTES * (OVERLAPS_STORED if quantity == "path" else SIMILARITIES_STORED)
        similarities = (pairs + images) * PAIR_BYTES * SIMILARITIES_STORED + 2 * SUMMARY_BYTES
        total += layers * (recordings * closeness + (recordings - 1) * similarities)
        total += layers * times * TWO_TIMES_BYTES if quantity == "path" else 0
    return total


def size_stated(size: RunSize) -> str:
    """The size as a sentence."""
    if size.total_bytes is None:
        return f"It stores {size.recordings:,} recordings; how large they are is known only once it runs."
    stated = f"It stores about {bytes_stated(size.total_bytes)} in {size.recordings:,} recordings"
    if size.checkpoint_bytes is None:
        return f"{stated}, and two checkpoints."
    return f"{stated}, and {bytes_stated(size.checkpoint_bytes)} of checkpoints."


def bytes_stated(count: int) -> str:
    power = max(0, min(int(log10(max(count, 1)) // 3), 4))
    return f"{count / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"
