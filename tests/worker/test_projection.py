"""Projections: by hand on a 3-4-2 net, against a slow loop, and to the bit along today's own paths."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from worker.kernels.packing import pack
from worker.kernels.projection import gated, outcome, project
from worker.nets import build_net, evaluating
from worker.recorder import capture

# A 3-4-2 net: 4 hidden units for 2 images, and which of them were on at an earlier recording.
INPUTS = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
HIDDEN = torch.tensor([[1.0, 2, -1, 0], [1, -1, 2, 0], [0, 0, 0, 1]])
OUT = torch.tensor([[1.0, 0], [0, 1], [2, 0], [0, 3]])
EARLIER = torch.tensor([[1, 0, 1, 0], [0, 1, 1, 1]]) > 0


class Small(nn.Module):
    def forward(self, x):
        return F.relu(x @ HIDDEN) @ OUT


class Mixed(nn.Module):
    """Two convolutions with batch norm, a residual, a ReLU of each form, dropout, and a linear layer."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.conv2, self.norm2 = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.fc1, self.fc2 = nn.Linear(6 * 5 * 7, 33), nn.Linear(33, 4)
        self.relu, self.drop = nn.ReLU(inplace=True), nn.Dropout()

    def forward(self, x):
        x = self.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(x)))
        y = (y + x).relu_().flatten(1)
        torch.relu_(y)
        return self.fc2(self.drop(torch.relu(self.fc1(y))))


def mixed(seed=0):
    torch.manual_seed(seed)
    net = Mixed().to(memory_format=torch.channels_last)
    for norm in (net.norm1, net.norm2):
        norm.running_mean.normal_()
        norm.weight.data.normal_()
    return net, torch.randn(9, 2, 5, 7).contiguous(memory_format=torch.channels_last)


def ordinary(net, images, batch_size=256, bf16=False):
    with evaluating(net), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return torch.cat([net(batch).float() for batch in images.split(batch_size)])


def same_bits(one, other):
    return torch.equal(one.view(torch.int32), other.view(torch.int32))


def test_projection_by_hand():
    found = project(Small(), INPUTS, [pack(EARLIER)])
    # Pre-activations (1, 2, -1, 0) and (1, -1, 2, 0); gated (1, 0, -1, 0) and (0, -1, 2, 0).
    assert found.tolist() == [[1 - 2, 0], [4, -1]]


def test_outcome_by_hand():
    logits = torch.tensor([[0.0, 0], [2, 0], [float("nan"), 0]])
    found = outcome(logits, torch.tensor([0, 1, 1]))
    expected = [torch.log(torch.tensor(2.0)), torch.log(1 + torch.tensor(2.0).exp()), float("nan")]
    torch.testing.assert_close(found.loss, torch.tensor(expected), equal_nan=True)
    assert found.right.nan_to_num(-1).tolist() == [1, 0, -1]


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("batch_size", [256, 4])
def test_along_todays_paths_it_is_the_ordinary_forward_pass_to_the_bit(bf16, batch_size):
    net, images = mixed()
    paths = [one.packed for one in capture(net, images, batch_size=batch_size, bf16=bf16)]
    assert len(paths) == 5
    assert same_bits(project(net, images, paths, batch_size, bf16), ordinary(net, images, batch_size, bf16))


@pytest.mark.parametrize("name", ["alexnet", "mlp", "resnet18", "vgg19_bn"])
def test_along_todays_paths_it_is_the_ordinary_forward_pass_of_our_nets(name):
    net = build_net(name, (3, 32, 32), 10)
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    paths = [one.packed for one in capture(net, images)]
    assert same_bits(project(net, images, paths), ordinary(net, images))


def test_values_that_are_not_ordinary_numbers_pass_todays_gate_to_the_bit():
    inf, nan = float("inf"), float("nan")
    before = torch.tensor([0.0, -0.0, 1, -1, inf, -inf, nan, 1e-45, -1e-45])
    assert same_bits(gated(before, before.relu() > 0), before.relu())


def test_a_closed_gate_gives_zero_and_an_open_one_lets_everything_through():
    before = torch.tensor([3.0, float("inf"), -2, float("-inf")])
    assert gated(before, torch.zeros(4, dtype=torch.bool)).tolist() == [0, 0, 0, 0]
    assert torch.equal(gated(before, torch.ones(4, dtype=torch.bool)), before)


def test_projection_agrees_with_a_slow_loop_over_images_and_units():
    net, images = mixed()
    other, _ = mixed(seed=1)
    captures = capture(other, images)
    found = project(net, images, [one.packed for one in captures])
    p = [one.paths.reshape(9, *one.shape).float() for one in captures]
    with evaluating(net):
        for i, image in enumerate(images.split(1)):
            x = net.norm1(net.conv1(image)) * p[0][i]
            y = ((net.norm2(net.conv2(x)) * p[1][i] + x) * p[2][i]).flatten(1) * p[3][i]
            torch.testing.assert_close(found[i : i + 1], net.fc2(net.fc1(y) * p[4][i]), rtol=1e-4, atol=1e-5)


def test_a_relu_in_place_changes_its_input_even_along_another_path():
    class InPlace(nn.Module):
        def forward(self, x):
            y = x * 1
            F.relu_(y)
            return y

    paths = [pack(torch.tensor([[True, False, True]]))]
    assert project(InPlace(), torch.tensor([[1.0, 2, -3]]), paths).tolist() == [[1, 0, -3]]


def test_projection_leaves_mode_and_random_state_alone():
    net, images = mixed()
    net.train()
    paths = [one.packed for one in capture(net, images)]
    before = torch.get_rng_state()
    project(net, images, paths)
    assert net.training
    assert torch.equal(torch.get_rng_state(), before)


def test_paths_of_another_net_are_refused():
    with pytest.raises(ValueError, match="made 1 ReLU calls, but paths of 2"):
        project(Small(), INPUTS, [pack(EARLIER)] * 2)
    with pytest.raises(ValueError, match="no path of 4 units was given for ReLU call 1"):
        project(Small(), INPUTS, [])
    with pytest.raises(ValueError, match="no path of 4 units"):
        project(Small(), INPUTS, [pack(torch.ones(2, 65, dtype=torch.bool))])
