import io

import numpy as np
import pytest
import torch
from PIL import Image

from backend.schemas import Probe
from worker.probes import draw, thumbnail

LABELS = torch.arange(1000) % 7


def test_draw_is_distinct_balanced_and_the_same_for_a_seed():
    indices = draw(Probe(count=100), LABELS)
    assert len(set(indices.tolist())) == 100
    counts = LABELS[indices].bincount()
    assert counts.max() - counts.min() <= 1
    assert torch.equal(indices, draw(Probe(count=100), LABELS))
    assert not torch.equal(indices, draw(Probe(count=100, seed=1), LABELS))


def test_draw_mixes_the_classes():
    assert len(set(LABELS[draw(Probe(count=100), LABELS)][:20].tolist())) > 3


def test_draw_fills_up_small_classes_from_others():
    labels = torch.tensor([0] * 3 + [1] * 50 + [2] * 50)
    assert labels[draw(Probe(count=43), labels)].bincount().tolist() in ([3, 20, 20],)
    assert len(draw(Probe(count=103), labels).unique()) == 103


def test_draw_unbalanced_takes_any_images():
    indices = draw(Probe(count=300, balanced=False), LABELS)
    assert len(indices.unique()) == 300


def test_draw_keeps_explicit_indices_in_their_order():
    assert draw(Probe(indices=(5, 2, 999)), LABELS).tolist() == [5, 2, 999]


def test_draw_refuses_what_the_training_set_does_not_have():
    with pytest.raises(ValueError, match=r"training images are 0 to 999; outside are \[1000, 4000\]"):
        draw(Probe(indices=(5, 1000, 4000)), LABELS)
    with pytest.raises(ValueError, match="1001 probe images are asked for, the training set has 1000"):
        draw(Probe(count=1001), LABELS)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "RGB"), (3, "RGB"), (4, "RGB")])
def test_thumbnail_has_the_same_pixels(channels, mode):
    image = torch.randint(0, 256, (channels, 5, 9), dtype=torch.uint8)
    shown = Image.open(io.BytesIO(thumbnail(image)))
    assert (shown.mode, shown.size) == (mode, (9, 5))
    pixels = np.atleast_3d(np.asarray(shown))
    np.testing.assert_array_equal(pixels[:, :, 0], image[0])
    np.testing.assert_array_equal(pixels[:, :, -1], image[min(channels, 3) - 1])
