import pytest
import torch
import torch.nn.functional as F
from torch import nn

from worker.recorder import capture


class Net(nn.Module):
    """conv -> ReLU -> conv -> ReLU -> linear -> ReLU, each ReLU made as `relu` says."""

    def __init__(self, relu):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4 * 5 * 6, 7)
        self.relu = nn.ReLU(inplace=True)
        self.how = relu

    def forward(self, x):
        x = self.how(self, self.conv1(x))
        x = self.how(self, self.conv2(x))
        return self.how(self, self.fc(x.flatten(1)))


FORMS = {
    "module": lambda net, x: net.relu(x),
    "F.relu": lambda net, x: F.relu(x),
    "F.relu in place": lambda net, x: F.relu(x, inplace=True),
    "F.relu_": lambda net, x: F.relu_(x),
    "torch.relu": lambda net, x: torch.relu(x),
    "torch.relu_": lambda net, x: torch.relu_(x),
    "method": lambda net, x: x.relu(),
    "method in place": lambda net, x: x.relu_(),
}
IMAGES = torch.randn(5, 2, 5, 6, generator=torch.Generator().manual_seed(0))


def net_with(relu):
    torch.manual_seed(0)
    return Net(relu)


def by_hand(net):
    with torch.no_grad():
        first = net.conv1(IMAGES).clamp(min=0)
        second = net.conv2(first).clamp(min=0)
        third = net.fc(second.flatten(1)).clamp(min=0)
    return [first.flatten(1), second.flatten(1), third]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_relu_is_captured_once_and_in_order(form):
    net = net_with(FORMS[form])
    captures = capture(net, IMAGES)
    assert [(one.kind, one.shape) for one in captures] == [("conv", (3, 5, 6)), ("conv", (4, 5, 6)), ("linear", (7,))]
    for one, expected in zip(captures, by_hand(net), strict=True):
        assert one.activations.dtype == torch.float32
        torch.testing.assert_close(one.activations, expected)
        assert torch.equal(one.paths, expected > 0)


def test_names_are_those_of_modules_or_of_the_module_around():
    assert [one.name for one in capture(net_with(FORMS["module"]), IMAGES)] == ["relu", "relu#2", "relu#3"]
    assert [one.name for one in capture(net_with(FORMS["F.relu"]), IMAGES)] == ["relu#1", "relu#2", "relu#3"]
    wrapped = nn.Sequential(net_with(FORMS["F.relu"]), nn.ReLU())
    assert [one.name for one in capture(wrapped, IMAGES)] == ["0.relu#1", "0.relu#2", "0.relu#3", "1"]


def test_what_overwrites_a_relu_in_place_does_not_reach_the_capture():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            out = F.relu(self.fc(x))
            out += x
            return out.mul_(100)

    net, x = Residual(), torch.randn(4, 3)
    captured = capture(net, x)[0].activations
    torch.testing.assert_close(captured, net.fc(x).relu().detach())


def test_units_lie_in_c_order_whatever_the_memory_layout():
    net = net_with(FORMS["module"])
    plain = capture(net, IMAGES)
    last = capture(net.to(memory_format=torch.channels_last), IMAGES.to(memory_format=torch.channels_last))
    for one, other in zip(plain, last, strict=True):
        torch.testing.assert_close(one.activations, other.activations)


def test_batches_make_no_difference():
    net = net_with(FORMS["F.relu"])
    for one, other in zip(capture(net, IMAGES), capture(net, IMAGES, batch_size=2), strict=True):
        assert one.name == other.name
        torch.testing.assert_close(one.activations, other.activations)


def test_net_and_random_state_are_left_as_they_were():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5))
    net.train()
    net[1].eval()
    modes, state = [module.training for module in net.modules()], torch.get_rng_state()
    capture(net, torch.randn(4, 3, generator=torch.Generator()))
    assert [module.training for module in net.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert net[1].num_batches_tracked == 0


def test_values_that_are_not_finite_are_counted_and_off():
    class Constant(nn.Module):
        def forward(self, x):
            return x.relu()

    one = capture(Constant(), torch.tensor([[torch.nan, torch.inf, -torch.inf, 1.0], [0, -0.0, 2, -1]]))[0]
    assert one.non_finite == 2
    assert one.paths.tolist() == [[False, True, False, True], [False, False, True, False]]


def test_bf16_pass_is_captured_as_float32():
    one = capture(net_with(FORMS["module"]), IMAGES, bf16=True)[0]
    assert one.activations.dtype == torch.float32
    assert torch.equal(one.activations, one.activations.bfloat16().float())


def test_net_without_relu_is_refused():
    with pytest.raises(ValueError, match="Sequential makes no ReLU call"):
        capture(nn.Sequential(nn.Linear(3, 3), nn.Sigmoid()), torch.randn(2, 3))


def test_relu_of_something_else_than_images_is_refused():
    class OfWeights(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 7))

        def forward(self, x):
            return x @ self.weight.relu()

    with pytest.raises(ValueError, match=r"relu#1 gives shape \(3, 7\); its first axis must be the 2 images"):
        capture(OfWeights(), torch.randn(2, 3))


def test_calls_that_differ_from_batch_to_batch_are_refused():
    class Moody(nn.Module):
        def forward(self, x):
            return x.relu().relu() if x[0, 0] > 0 else x.relu()

    with pytest.raises(ValueError, match="ReLU call"):
        capture(Moody(), torch.tensor([[1.0], [-1.0]]), batch_size=1)
    with pytest.raises(ValueError, match="not called like this"):
        capture(Moody(), torch.tensor([[-1.0], [1.0]]), batch_size=1)


def test_resnet_has_seventeen_relu_layers():
    from worker.vision import torchvision

    captures = capture(torchvision.models.resnet18(num_classes=10), torch.randn(2, 3, 32, 32))
    assert len(captures) == 17
    assert captures[1].name == "layer1.0.relu"
    assert {one.kind for one in captures} == {"conv"}


def test_paths_alone_are_those_beside_activations():
    net = net_with(FORMS["module"])
    both, alone = capture(net, IMAGES, batch_size=2), capture(net, IMAGES, batch_size=3, activations=False)
    for one, other in zip(both, alone, strict=True):
        assert other.activations is None
        assert torch.equal(one.packed, other.packed)
        assert torch.equal(one.paths, one.activations > 0)
        assert (one.units, one.shape, one.name) == (other.units, other.shape, other.name)
        assert one.packed.shape == (len(IMAGES), -(-one.units // 64))
