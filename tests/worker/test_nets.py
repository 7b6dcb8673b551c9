import pytest
import torch

from worker.nets import build_net
from worker.recorder import capture


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 17, 40), (3, 95, 60), (4, 1, 3), (3, 96, 130)])
def test_alexnet_has_seven_relu_layers_for_any_input(shape):
    net = build_net("alexnet", shape, 10)
    captures = capture(net, torch.randn(2, *shape))
    assert [one.name for one in captures] == [f"relu{k}" for k in range(1, 8)]
    assert [one.kind for one in captures] == ["conv"] * 5 + ["linear"] * 2
    assert net.eval()(torch.randn(2, *shape)).shape == (2, 10)


def test_alexnet_is_the_original_at_224_pixels():
    shapes = [one.shape for one in capture(build_net("alexnet", (3, 224, 224), 10), torch.randn(1, 3, 224, 224))]
    convolutions = [(64, 55, 55), (192, 27, 27), (384, 13, 13), (256, 13, 13), (256, 13, 13)]
    assert shapes == [*convolutions, (4096,), (4096,)]


def test_mlp_has_three_relu_layers_of_512():
    captures = capture(build_net("mlp", (1, 8, 8), 10), torch.randn(2, 1, 8, 8))
    assert [one.shape for one in captures] == [(512,)] * 3


def test_same_seed_gives_the_same_weights_and_leaves_the_random_state():
    state = torch.get_rng_state()
    first, again, other = (build_net("mlp", (1, 8, 8), 10, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.fc1.weight, again.fc1.weight)
    assert not torch.equal(first.fc1.weight, other.fc1.weight)


def test_weights_have_the_variance_for_relus():
    weight = build_net("mlp", (3, 32, 32), 10).fc1.weight
    assert weight.std().item() == pytest.approx((2 / 3072) ** 0.5, rel=0.01)


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no net is named 'lenet'; installed are"):
        build_net("lenet", (1, 8, 8), 10)
