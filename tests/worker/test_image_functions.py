"""Image functions: by hand on a 3-4-2 net, against gradients of single images, and at the edges."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from backend.codec import from_pairs
from backend.schemas import Measure, Recorded
from worker.image_functions import ImageFunctions, capture_calls
from worker.kernels import image_function
from worker.kernels.image_function import Call, Geometry, compare, gradient_tiles


def vectors(z, a):
    return [Call(0, torch.tensor(a)[..., None, None], torch.tensor(z)[..., None, None])]


def test_a_linear_layer_by_hand():
    # The hidden layer of a 3-4-2 net: gradients z at 4 outputs, 3 inputs a, for 3 images.
    z = [[1.0, 0, 2, 0], [0, 1, 2, 0], [0, 0, 0, 0]]
    a = [[1.0, 0, 0], [1, 2, 2], [1, 1, 1]]
    found = cross_function(vectors(z, a))
    # z_0 · z_1 = 4 over norms of sqrt 5 each; a_0 · a_1 = 1 over norms of 1 and 3.
    assert found[0, 1].item() == pytest.approx(4 / 5 * 1 / 3)
    np.testing.assert_allclose(found.diagonal(), [1, 1, np.nan])
    assert found[2].isnan().all()
    before = vectors([[-1.0, 0, 0, 0], [0, 3, 6, 0], [1, 1, 1, 1]], [[2.0, 0, 0], [1, 2, 2], [1, 1, 1]])
    np.testing.assert_allclose(self_function(vectors(z, a), before), [-1 / 5**0.5, 1, np.nan], rtol=1e-12)


class Branched(nn.Module):
    """Convolutions of every kind, a shortcut, a convolution used twice, a linear layer at several positions or one."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.main = nn.Conv2d(4, 6, (3, 1), padding=(2, 0), dilation=(2, 1), groups=2, bias=False)
        self.short = nn.Conv2d(4, 6, 1, stride=1)
        self.twice = nn.Conv2d(6, 6, 3, padding="same", padding_mode="reflect")
        self.rows = nn.Linear(4, 3)
        self.fc = nn.Linear(6 * 4 * 3, 9)
        self.out = nn.Linear(9, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.relu(self.norm(self.stem(x)))
        x = self.relu(self.main(x) + self.short(x))
        x = F.relu(self.twice(self.twice(x)))
        x = self.relu(self.rows(x))
        x = torch.relu(self.fc(x.flatten(1)))
        return self.out(F.relu(x * 2))


def cross_function(calls):
    return compare(calls).cross


def self_function(now, before):
    return compare(now, before).alone


LAYERS = {1: ["stem"], 2: ["main", "short"], 3: ["twice"], 4: ["rows"], 5: ["fc"]}


def made(seed=0, images=6):
    torch.manual_seed(seed)
    net = Branched()
    net.norm.running_mean.normal_()
    return net, torch.randn(images, 2, 8, 8), torch.randint(0, 3, (images,))


def slow(net, images, labels, names):
    """The gradient of each image's loss, flattened over all weights of these names, one image after the other."""
    net = copy.deepcopy(net).eval()
    rows = []
    for image, label in zip(images.split(1), labels.split(1), strict=True):
        net.zero_grad()
        F.cross_entropy(net(image), label).backward()
        rows.append(torch.cat([getattr(net, name).weight.grad.flatten().double() for name in names]))
    return torch.stack(rows)


def cosines(one, other):
    return (one / one.norm(dim=1, keepdim=True)) @ (other / other.norm(dim=1, keepdim=True)).T


@pytest.mark.parametrize("tile", [1, 100, 2**24])
def test_functions_agree_with_gradients_of_single_images(monkeypatch, tile):
    monkeypatch.setattr(image_function, "TILE_NUMBERS", tile)
    net, images, labels = made()
    before, _, _ = made(seed=1)
    now_calls, before_calls = (capture_calls(one, images, labels, range(1, 7)) for one in (net, before))
    for k, names in LAYERS.items():
        now, then = (slow(one, images, labels, names) for one in (net, before))
        np.testing.assert_allclose(cross_function(now_calls[k]), cosines(now, now), atol=1e-5)
        np.testing.assert_allclose(self_function(now_calls[k], before_calls[k]), cosines(now, then).diag(), atol=1e-5)
    assert now_calls[6] == []


def test_tiles_hold_every_entry_of_the_gradient_once():
    torch.manual_seed(0)
    call = Call(0, torch.randn(2, 4, 5, 5), torch.randn(2, 6, 3, 3), Geometry((3, 3), (1, 1), (1, 1), 2))
    entries = torch.cat(list(gradient_tiles([call])), dim=1)
    assert entries.shape == (2, 6 * 2 * 3 * 3)


def test_a_step_stores_pairs_and_from_the_second_recording_on_images():
    net, images, labels = made()
    functions = ImageFunctions()
    first = functions.step(net, images, labels)
    assert [(one.measure, one.quantity, one.k) for one in first] == [
        (Measure.CLOSENESS, Recorded.IMAGE_FUNCTION, k) for k in range(1, 7)
    ]
    with torch.no_grad():
        net.fc.weight.mul_(-1)
    second = {(one.measure, one.k): one for one in functions.step(net, images, labels)}
    assert len(second) == 12
    now = slow(net, images, labels, LAYERS[2])
    found = second[Measure.CLOSENESS, 2]
    np.testing.assert_allclose(from_pairs(found.values)[0, 1:], cosines(now, now)[0, 1:], atol=1e-5)
    negative = sum(value < 0 for value in found.values)
    assert sum(found.summary.histogram[:50]) == negative > 0
    # Nothing but a normalisation-free product feeds the sixth ReLU: it has no weights.
    assert second[Measure.CLOSENESS, 6].summary.undefined == 15
    assert second[Measure.SELF_SIMILARITY, 6].summary.undefined == 6


def test_layers_captured_one_by_one_give_the_same():
    net, images, labels = made()
    whole, single = ImageFunctions(), ImageFunctions(memory_bytes=0)
    for functions in (whole, single):
        functions.remember(made(seed=1)[0])
    for one, other in zip(whole.step(net, images, labels), single.step(net, images, labels), strict=True):
        assert one[:3] == other[:3]
        np.testing.assert_array_equal(one.values, other.values)


def test_an_unchanged_net_has_unchanged_functions():
    net, images, labels = made()
    functions = ImageFunctions()
    functions.remember(net)
    found = [one for one in functions.step(net, images, labels) if one.measure is Measure.SELF_SIMILARITY]
    for one in found[:5]:
        np.testing.assert_allclose(one.values, 1, atol=1e-6)


def test_a_step_leaves_gradients_mode_and_random_state_alone():
    net, images, labels = made()
    net.train()
    net.fc.weight.grad = torch.ones_like(net.fc.weight)
    before, running = torch.get_rng_state(), net.norm.running_mean.clone()
    ImageFunctions().step(net, images, labels)
    assert net.training
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(net.norm.running_mean, running)
    assert (net.fc.weight.grad == 1).all()
    assert net.stem.weight.grad is None


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_gradients_of_any_size_neither_vanish_nor_overflow(scale):
    torch.manual_seed(0)
    call = Call(0, torch.randn(4, 3, 6, 6), torch.randn(4, 5, 4, 4), Geometry((3, 3)))
    other = call._replace(gradient=call.gradient * scale)
    np.testing.assert_allclose(cross_function([other]), cross_function([call]), atol=1e-6)
    np.testing.assert_allclose(self_function([other], [call]), 1, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_makes_only_its_image_undefined(bad):
    torch.manual_seed(0)
    call = Call(0, torch.randn(4, 3, 6, 6), torch.randn(4, 5, 4, 4), Geometry((3, 3)))
    call.gradient[1, 2, 3, 3] = bad
    found = cross_function([call])
    assert found.isnan().any(1).tolist() == [True] * 4
    assert found[1].isnan().all()
    assert not found[[0, 2, 3]][:, [0, 2, 3]].isnan().any()
    assert self_function([call], [call]).isnan().tolist() == [False, True, False, False]


def test_a_weight_whose_first_axis_is_not_the_images_is_refused():
    net = nn.Sequential(
        nn.Flatten(0, 1), nn.Linear(4, 4), nn.ReLU(), nn.Unflatten(0, (3, 2)), nn.Flatten(), nn.Linear(8, 2)
    )
    with pytest.raises(ValueError, match="must be the 3 images"):
        capture_calls(net, torch.randn(3, 2, 4), torch.tensor([0, 1, 0]), [1])
