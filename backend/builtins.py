"""The nets and datasets that Pathscope brings, declared like those of any plug-in (see pyproject.toml)."""

from backend.plugins import DatasetEntry, NetEntry

ALEXNET = NetEntry(
    name="alexnet",
    title="AlexNet",
    description="5 convolutional and 2 fully connected ReLU layers, fitted to inputs from 8 to 224 pixels",
    build="worker.nets:build_alexnet",
)
MLP = NetEntry(
    name="mlp",
    title="MLP",
    description="3 fully connected ReLU layers of 512 units",
    build="worker.nets:build_mlp",
)
DIGITS = DatasetEntry(
    name="digits",
    title="Digits",
    description="1,797 handwritten digits of 8×8 pixels from scikit-learn; needs no download",
    load="worker.datasets:load_digits",
    train_images=1437,
    test_images=360,
    classes=10,
)
CIFAR10 = DatasetEntry(
    name="cifar10",
    title="CIFAR-10",
    description="60,000 colour pictures of 32×32 pixels in 10 classes; downloaded on first use",
    load="worker.datasets:load_cifar10",
    train_images=50_000,
    test_images=10_000,
    classes=10,
)
