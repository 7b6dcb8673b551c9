"""Distances in data space: by hand, against a slow loop, at the edges."""

import numpy as np
import pytest
import torch

from worker.kernels import distance
from worker.kernels.distance import pixel_distances


def pictures(count, shape=(3, 5, 4), seed=0):
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_distances_by_hand():
    images = torch.tensor([[0, 0], [255, 0], [255, 255], [0, 51]], dtype=torch.uint8).reshape(4, 1, 1, 2)
    far = 2**0.5
    expected = [[0, 1, far, 0.2], [1, 0, 1, 1.04**0.5], [far, 1, 0, 1.64**0.5], [0.2, 1.04**0.5, 1.64**0.5, 0]]
    np.testing.assert_allclose(pixel_distances(images), expected, rtol=1e-15)


@pytest.mark.parametrize("tile", [7, 8192])
def test_distances_agree_with_a_slow_loop(monkeypatch, tile):
    monkeypatch.setattr(distance, "TILE_PIXELS", tile)
    images = pictures(6)
    pixels = images.flatten(1).numpy() / 255
    slow = [[np.linalg.norm(one - other) for other in pixels] for one in pixels]
    np.testing.assert_allclose(pixel_distances(images), slow, rtol=1e-12, atol=1e-15)


def test_one_grey_level_between_large_images_is_not_lost():
    bright = torch.full((2, 3, 64, 64), 255, dtype=torch.uint8)
    bright[1, 2, 63, 63] = 254
    assert pixel_distances(bright).tolist() == [[0, 1 / 255], [1 / 255, 0]]


def test_distances_of_one_image_and_of_none():
    assert pixel_distances(pictures(1)).tolist() == [[0]]
    assert pixel_distances(pictures(0)).shape == (0, 0)
