"""Which training images are recorded, and what they look like."""

import io

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor

from backend.schemas import Probe


def draw(probe: Probe, train_labels: Int64[Tensor, " train"]) -> Int64[Tensor, " images"]:
    """Positions of the probe images in the training set, distinct and in the order drawn.

    Balanced, the classes' counts differ by at most one; a class that has too few images gives all, the others the rest.
    Raises ValueError where the training set is too small.
    """
    if probe.indices is not None:
        outside = [index for index in probe.indices if index >= len(train_labels)]
        if outside:
            raise ValueError(f"the training images are 0 to {len(train_labels) - 1}; outside are {outside[:5]}")
        return torch.tensor(probe.indices)
    if probe.count > len(train_labels):
        raise ValueError(f"{probe.count} probe images are asked for, the training set has {len(train_labels)}")
    generator = torch.Generator().manual_seed(probe.seed)
    shuffled = torch.randperm(len(train_labels), generator=generator)
    if not probe.balanced:
        return shuffled[: probe.count]
    labels = train_labels[shuffled]
    # Rank the images within their class, and take those of the lowest ranks: a round through the classes per rank.
    rank = torch.empty_like(shuffled)
    for label in set(labels.tolist()):
        members = labels == label
        rank[members] = torch.arange(int(members.sum()))
    chosen = rank.argsort(stable=True)[: probe.count]
    return shuffled[chosen.sort().values]


def thumbnail(image: UInt8[Tensor, "channels height width"]) -> bytes:
    """The image as a PNG of its own size: grey for one channel, else the first three as red, green and blue."""
    pixels = image.cpu().numpy()
    shown = np.stack([pixels[min(c, len(pixels) - 1)] for c in range(3)], axis=-1) if len(pixels) > 1 else pixels[0]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown)).save(buffer, format="PNG")
    return buffer.getvalue()
