"""The nets and datasets that Pathscope brings, declared like those of any plug-in (see pyproject.toml)."""

import json
from functools import partial
from importlib.resources import files

from backend import net_sizes
from backend.plugins import DatasetEntry, NetEntry

ALEXNET = NetEntry(
    name="alexnet",
    title="AlexNet",
    description="5 convolutional and 2 fully connected ReLU layers, fitted to inputs from 8 to 224 pixels",
    build="worker.nets.alexnet:build_alexnet",
    size=net_sizes.alexnet,
    weights=net_sizes.alexnet_weights,
    batch_norm=False,
)
MLP = NetEntry(
    name="mlp",
    title="MLP",
    description="3 fully connected ReLU layers of 512 units",
    build="worker.nets.mlp:build_mlp",
    size=net_sizes.mlp,
    weights=net_sizes.mlp_weights,
    batch_norm=False,
)
RESNET18 = NetEntry(
    name="resnet18",
    title="ResNet-18",
    description="17 ReLU layers; a 3×3 stem without pooling up to 64 pixels, torchvision's stem above",
    build="worker.nets.resnet:build_resnet18",
    size=net_sizes.resnet18,
    weights=net_sizes.resnet18_weights,
)
VGG19 = NetEntry(
    name="vgg19",
    title="VGG-19",
    description="16 convolutional and 2 fully connected ReLU layers, fitted to inputs from 8 to 224 pixels",
    build="worker.nets.vgg:build_vgg19",
    size=net_sizes.vgg19,
    weights=net_sizes.vgg19_weights,
    batch_norm=False,
)
VGG19_BN = NetEntry(
    name="vgg19_bn",
    title="VGG-19 with batch norm",
    description="VGG-19 with a batch norm before each convolutional ReLU",
    build="worker.nets.vgg:build_vgg19",
    arguments=("vgg19_bn",),
    size=net_sizes.vgg19,
    weights=partial(net_sizes.vgg19_weights, batch_norm=True),
)


def _torchvision_nets() -> tuple[NetEntry, ...]:
    listed: dict[str, net_sizes.TorchvisionNet] = json.loads(
        files("backend").joinpath("torchvision_nets.json").read_bytes()
    )
    return tuple(
        NetEntry(
            name=f"torchvision:{name}",
            title=f"{name} (torchvision)",
            description=f"{net['layers']} ReLU layers, for inputs from {net['least_pixels']} pixels",
            build="worker.nets.torchvision:build_torchvision",
            arguments=(name,),
            size=partial(net_sizes.torchvision_net, net),
            weights=partial(net_sizes.torchvision_weights, net),
            least_pixels=net["least_pixels"],
            batch_norm=net["batch_norm"],
        )
        for name, net in listed.items()
    )


TORCHVISION = _torchvision_nets()
DIGITS = DatasetEntry(
    name="digits",
    title="Digits",
    description="1,797 handwritten digits of 8×8 pixels from scikit-learn; needs no download",
    load="worker.datasets:load_digits",
    train_images=1437,
    test_images=360,
    classes=10,
    input_shape=(1, 8, 8),
)
CIFAR10 = DatasetEntry(
    name="cifar10",
    title="CIFAR-10",
    description="60,000 colour pictures of 32×32 pixels in 10 classes; downloaded on first use",
    load="worker.datasets:load_cifar10",
    train_images=50_000,
    test_images=10_000,
    classes=10,
    input_shape=(3, 32, 32),
)
CIFAR100 = DatasetEntry(
    name="cifar100",
    title="CIFAR-100",
    description="60,000 colour pictures of 32×32 pixels in 100 classes; downloaded on first use",
    load="worker.datasets:load_cifar100",
    train_images=50_000,
    test_images=10_000,
    classes=100,
    input_shape=(3, 32, 32),
)
FASHION_MNIST = DatasetEntry(
    name="fashion_mnist",
    title="Fashion-MNIST",
    description="70,000 grey pictures of 28×28 pixels in 10 classes of clothes; downloaded on first use",
    load="worker.datasets:load_fashion_mnist",
    train_images=60_000,
    test_images=10_000,
    classes=10,
    input_shape=(1, 28, 28),
)
IMAGENET = DatasetEntry(
    name="imagenet",
    title="ImageNet",
    description="the pictures of imagenet/train and imagenet/val at 224×224 pixels, read from disk while training",
    load="worker.datasets:load_imagenet",
    input_shape=(3, 224, 224),
    folders=("imagenet/train", "imagenet/val"),
)
