import io
import zipfile

import pytest
from PIL import Image

from backend import catalogue
from backend.errors import InvalidInput
from backend.schemas import RunSpec


def picture(width=40, height=30, mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def put(home, name, files):
    """The files as a folder, or as a zip where the name ends so."""
    path = home / "data" / name
    path.parent.mkdir(exist_ok=True)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in files.items():
                archive.writestr(member, content)
    else:
        for member, content in files.items():
            (path / member).parent.mkdir(parents=True, exist_ok=True)
            (path / member).write_bytes(content)


def refused(**spec):
    with pytest.raises(InvalidInput) as found:
        catalogue.check(RunSpec(**({"net": "mlp", "dataset": "digits", "probe": {"count": 2}} | spec)))
    return {error.field: error.message for error in found.value.errors}


@pytest.mark.parametrize("name", ["some", "some.zip"])
def test_split_pictures_are_listed(home, name):
    put(home, name, {"train/a/1.png": picture(), "train/b/1.png": picture(), "test/a/1.png": picture()})
    found = catalogue.datasets()[f"imagefolder:{name}"]
    assert (found.train_images, found.test_images, found.classes, found.input_shape) == (2, 1, 2, (3, 30, 40))
    assert found.description == "2 training pictures, 1 test pictures, in 2 classes"


@pytest.mark.parametrize("name", ["some", "some.zip"])
def test_pictures_in_classes_alone_are_all_for_training(home, name):
    put(home, name, {"a/1.png": picture(), "b/1.png": picture(50), "b/notes.txt": b""})
    found = catalogue.datasets()[f"imagefolder:{name}"]
    assert (found.train_images, found.test_images, found.classes, found.input_shape) == (2, 0, 2, (3, 224, 224))
    assert found.description == "2 training pictures, no test pictures, in 2 classes"


@pytest.mark.parametrize(
    "files", [["train/a/1.png"], ["test/a/1.png"], ["train/1.png", "test/1.png"], ["1.png"], ["a/b/c/1.png"]]
)
def test_folder_with_pictures_elsewhere_is_not_listed(home, files):
    put(home, "some", dict.fromkeys(files, picture()))
    assert not [name for name in catalogue.datasets() if name.startswith("imagefolder:")]


def test_grey_pictures_have_one_channel_and_broken_ones_no_known_shape(home):
    put(home, "grey", {"a/1.png": picture(mode="L"), "a/2.png": picture(mode="L")})
    put(home, "broken.zip", {"a/1.png": b"no picture"})
    assert catalogue.datasets()["imagefolder:grey"].input_shape == (1, 30, 40)
    assert catalogue.datasets()["imagefolder:broken.zip"].input_shape is None


def test_imagenet_is_offered_while_its_folders_are_there(home):
    assert "imagenet" not in catalogue.datasets()
    assert "holds no imagenet/train and imagenet/val" in refused(dataset="imagenet")["dataset"]
    put(home, "imagenet", {"train/n01/1.JPEG": picture(), "val/n01/1.JPEG": picture()})
    assert catalogue.datasets()["imagenet"].input_shape == (3, 224, 224)
    assert "imagefolder:imagenet" not in catalogue.datasets()
    catalogue.check(RunSpec(net="resnet18", dataset="imagenet"))


def test_net_of_torchvision_that_is_no_relu_net_is_refused_with_those_that_are(home):
    message = refused(net="torchvision:convnext_tiny")["net"]
    assert message.startswith("torchvision has no such net, or not all its non-linearities are ReLUs; offered are alex")
    assert "resnet50" in message
    assert "resnet18, vgg19, vgg19_bn, and many nets of torchvision" in refused(net="lenet")["net"]


def test_net_for_larger_images_than_the_data_has_is_refused(home):
    message = refused(net="torchvision:inception_v3")["net"]
    assert message == "torchvision:inception_v3 takes images from 75 pixels; those of digits are 8×8"
    catalogue.check(RunSpec(net="torchvision:resnet50", dataset="cifar10"))


def test_probe_larger_than_a_folder_is_refused(home):
    put(home, "some", {f"a/{n}.png": picture() for n in range(3)})
    spec = {"dataset": "imagefolder:some"}
    assert "has 3 training images" in refused(**spec, probe={"count": 4})["probe.count"]
    assert "outside are [3, 9]" in refused(**spec, probe={"indices": [0, 3, 9]})["probe.indices"]
