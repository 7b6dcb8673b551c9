import subprocess
import sys

from worker.vision import torchvision


def test_torchvision_is_whole():
    assert torchvision.datasets.CIFAR10.base_folder == "cifar-10-batches-py"
    assert torchvision.models.resnet18


def test_torchvision_can_be_imported_plainly_afterwards():
    code = "import worker.vision, torchvision.datasets, torchvision.models, torchvision.transforms"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
