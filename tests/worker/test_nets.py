import math

import pytest
import torch
from torch import nn

from backend.plugins import NetEntry, net_entries
from worker.nets import build_net
from worker.recorder import capture
from worker.vision import torchvision

RESNET18_NAMES = ["relu"] + [f"layer{n}.{m}.relu{again}" for n in (1, 2, 3, 4) for m in (0, 1) for again in ("", "#2")]

STD_INPUTS = {"conv5": 9 * 256, "fc6": 256, "fc7": 1024, "fc8": 1024}


def shapes_of(name, input_shape, images=1, classes=10):
    net = build_net(name, input_shape, classes)
    captures = capture(net, torch.randn(images, *input_shape))
    assert net.eval()(torch.randn(images, *input_shape)).shape == (images, classes)
    return [one.shape for one in captures]


def units_of(shapes):
    return sum(torch.Size(shape).numel() for shape in shapes)


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


def test_resnet18_has_seventeen_relu_layers_in_the_order_of_the_pass():
    captures = capture(build_net("resnet18", (3, 32, 32), 10), torch.randn(2, 3, 32, 32))
    assert [one.name for one in captures] == RESNET18_NAMES
    assert [one.kind for one in captures] == ["conv"] * 17
    stages = [(64, 32, 32)] * 5 + [(128, 16, 16)] * 4 + [(256, 8, 8)] * 4 + [(512, 4, 4)] * 4
    assert [one.shape for one in captures] == stages
    assert sum(one.activations.shape[1] for one in captures) == 557_056


def test_resnet18_has_the_stem_of_torchvision_above_64_pixels():
    assert shapes_of("resnet18", (1, 64, 70))[:2] == [(64, 64, 70), (64, 64, 70)]
    assert shapes_of("resnet18", (3, 65, 224))[:2] == [(64, 33, 112), (64, 17, 56)]


@pytest.mark.parametrize("name", ["vgg19", "vgg19_bn"])
def test_vgg19_has_eighteen_relu_layers(name):
    captures = capture(build_net(name, (3, 32, 32), 10), torch.randn(2, 3, 32, 32))
    assert [one.kind for one in captures] == ["conv"] * 16 + ["linear"] * 2
    stages = [(64, 32)] * 2 + [(128, 16)] * 2 + [(256, 8)] * 4 + [(512, 4)] * 4 + [(512, 2)] * 4
    assert [one.shape for one in captures] == [(c, side, side) for c, side in stages] + [(512,)] * 2


def test_vgg19_is_the_original_at_224_pixels():
    shapes = shapes_of("vgg19", (3, 224, 224))
    assert shapes[0] == (64, 224, 224)
    assert shapes[15:] == [(512, 14, 14), (4096,), (4096,)]


@pytest.mark.parametrize("name", ["resnet18", "vgg19", "vgg19_bn"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (2, 17, 40)])
def test_deep_nets_take_small_images(name, shape):
    assert len(shapes_of(name, shape)) == (17 if name == "resnet18" else 18)


@pytest.mark.parametrize("name", ["squeezenet1_1", "mnasnet0_5", "shufflenet_v2_x0_5", "googlenet", "regnet_x_400mf"])
def test_torchvision_net_is_sized_to_the_data(name):
    shapes = shapes_of(f"torchvision:{name}", (1, 64, 64), classes=7)
    size = net_entries()[f"torchvision:{name}"].size((1, 64, 64))
    assert len(shapes) == size.layers
    # SqueezeNet's last ReLU has a unit per class, listed with the 1,000 of ImageNet.
    assert units_of(shapes) == pytest.approx(size.units, rel=0.06 if name.startswith("squeezenet") else 0)


def test_torchvision_net_refuses_images_that_are_too_small():
    with pytest.raises(ValueError, match=r"torchvision's alexnet cannot take images of 1×8×8 .*larger images"):
        build_net("torchvision:alexnet", (1, 8, 8), 10)


def test_listed_torchvision_nets_are_its_relu_nets():
    """The list is that of the installed torchvision; scripts/torchvision_nets.py makes it."""
    listed = {name.removeprefix("torchvision:") for name in net_entries() if name.startswith("torchvision:")}
    offered = set(torchvision.models.list_models(module=torchvision.models))
    assert listed <= offered
    assert {"resnet50", "vgg11", "densenet121", "regnet_x_8gf", "wide_resnet50_2"} <= listed
    assert not {"convnext_tiny", "vit_b_16", "swin_t", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf"} & listed


def test_net_without_relu_is_refused():
    net = torchvision.models.convnext_tiny(num_classes=10)
    with pytest.raises(ValueError, match="ConvNeXt makes no ReLU call; paths exist only in nets with ReLU"):
        capture(net, torch.randn(1, 3, 32, 32))


@pytest.mark.parametrize("name", ["alexnet", "mlp", "resnet18", "vgg19", "vgg19_bn"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 17, 40), (3, 65, 70), (3, 100, 130)])
def test_stated_size_is_that_of_the_net(name, shape):
    shapes = shapes_of(name, shape)
    assert net_entries()[name].size(shape) == (len(shapes), units_of(shapes))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 17, 40), (3, 65, 70), (3, 100, 130)])
@pytest.mark.parametrize("name", ["alexnet", "mlp", "resnet18", "vgg19", "vgg19_bn"])
def test_stated_weights_are_those_of_the_net(name, shape):
    net = build_net(name, shape, 7)
    assert net_entries()[name].weights(shape, 7) == sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("name", ["resnet34", "squeezenet1_1", "densenet121", "googlenet"])
def test_stated_weights_of_torchvision_nets_are_exact_for_colour(name):
    net = build_net(f"torchvision:{name}", (3, 64, 64), 7)
    stated = net_entries()[f"torchvision:{name}"].weights((3, 64, 64), 7)
    assert stated == sum(parameter.numel() for parameter in net.parameters())


def test_stated_size_is_scaled_between_the_listed_ones():
    size = net_entries()["torchvision:resnet34"].size((3, 160, 200))
    assert size.units == pytest.approx(units_of(shapes_of("torchvision:resnet34", (3, 160, 200))), rel=0.1)


def test_entry_point_may_name_several_nets():
    assert len([entry for entry in net_entries().values() if entry.arguments]) > 40
    assert all(isinstance(entry, NetEntry) for entry in net_entries().values())


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


@pytest.mark.parametrize("name", ["alexnet", "mlp"])
def test_first_loss_is_near_that_of_guessing(name):
    images = torch.randn(256, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    net = build_net(name, (1, 8, 8), 10).eval()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(net(images), torch.arange(256) % 10).item()
    assert math.log(10) - 0.1 < loss < math.log(10) + 0.4


def test_weights_behind_dropout_are_drawn_smaller():
    net = build_net("alexnet", (1, 8, 8), 10)
    std = {name: net.get_submodule(name).weight.std().item() * math.sqrt(inputs) for name, inputs in STD_INPUTS.items()}
    assert std == pytest.approx({"conv5": math.sqrt(2), "fc6": 1, "fc7": 1, "fc8": 1}, rel=0.05)


@pytest.mark.parametrize("side", [8, 32])
def test_activations_keep_their_size_over_all_layers_of_a_deep_net(side):
    images = torch.randn(32, 3, side, side, generator=torch.Generator().manual_seed(0))
    captures = capture(build_net("vgg19", (3, side, side), 10), images)
    assert all(0.3 < one.activations.std() < 10 for one in captures)
