import hashlib
import io
import logging
import pickle
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from backend.builtins import DIGITS, FASHION_MNIST
from worker.data import Data
from worker.datasets import DatasetUnavailable, load_data
from worker.image_folder import load_image_folder
from worker.vision import torchvision


def picture(*, mode="RGB", size=(6, 5), seed=0, form="PNG"):
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], *channels), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue(), pixels


def members(**kwargs):
    return {
        f"{split}/{name}/{n}.png": picture(seed=hash_of(split, name, n), **kwargs)[0]
        for split, count in (("train", 3), ("test", 2))
        for name in ("zebra", "ant")
        for n in range(count)
    }


def hash_of(split, name, n):
    return len(split) * 100 + len(name) * 10 + n


def as_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def as_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@pytest.fixture(params=["zip", "folder"])
def make(request, tmp_path):
    if request.param == "zip":
        return lambda files: as_zip(tmp_path / "pictures.zip", files)
    return lambda files: as_folder(tmp_path / "pictures", files)


def test_digits_are_what_the_catalogue_says(tmp_path):
    data = load_data("digits", tmp_path)
    assert len(data.train_images) == DIGITS.train_images
    assert len(data.test_images) == DIGITS.test_images
    assert len(data.class_names) == DIGITS.classes
    assert data.input_shape == (1, 8, 8)
    assert (data.train_images.min(), data.train_images.max()) == (0, 255)
    assert data.test_labels.bincount().min() >= 34
    assert torch.equal(data.train_images, load_data("digits", tmp_path).train_images)


def test_mean_and_std_are_those_of_the_training_pixels():
    images = torch.randint(0, 256, (1500, 3, 4, 5), dtype=torch.uint8)
    images[:, 2] = 51
    labels = torch.zeros(1500, dtype=torch.int64)
    data = Data.of((images, labels), (images[:1], labels[:1]), ["all"])
    scaled = images[:, :2].double() / 255
    torch.testing.assert_close(data.mean[:2].double(), scaled.mean((0, 2, 3)), rtol=1e-6, atol=0)
    torch.testing.assert_close(data.std[:2].double(), scaled.std((0, 2, 3), correction=0), rtol=1e-6, atol=0)
    assert (data.mean[2].item(), data.std[2].item()) == (pytest.approx(0.2), 1)


def test_image_folder_holds_every_picture_by_class_and_name(make, caplog):
    caplog.set_level(logging.INFO)
    data = load_image_folder(make(members() | {"train/ant/notes.txt": b"no picture", "readme.md": b""}))
    assert data.class_names == ("ant", "zebra")
    assert data.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.test_labels.tolist() == [0, 0, 1, 1]
    assert data.input_shape == (3, 5, 6)
    _, pixels = picture(seed=hash_of("train", "zebra", 1))
    np.testing.assert_array_equal(data.train_images[4], pixels.transpose(2, 0, 1))
    assert "read 10 of 10 pictures" in caplog.text


def test_grey_pictures_stay_grey(make):
    data = load_image_folder(make(members(mode="L")))
    assert data.input_shape == (1, 5, 6)
    _, pixels = picture(mode="L", seed=hash_of("test", "ant", 0))
    np.testing.assert_array_equal(data.test_images[0, 0], pixels)


@pytest.mark.parametrize("first", ["L", "RGB"])
def test_grey_and_coloured_pictures_together_are_coloured(make, first):
    other = "RGB" if first == "L" else "L"
    content, pixels = picture(mode=other, seed=7)
    data = load_image_folder(make(members(mode=first) | {"train/zebra/9.png": content}))
    assert data.input_shape == (3, 5, 6)
    expected = pixels[None].repeat(3, 0) if other == "L" else pixels.transpose(2, 0, 1)
    np.testing.assert_array_equal(data.train_images[-1], expected)


def test_pictures_of_different_sizes_are_fitted_to_224(make):
    content, _ = picture(size=(300, 448), form="JPEG")
    data = load_image_folder(make(members() | {"test/zebra/9.jpg": content}))
    assert data.input_shape == (3, 224, 224)


def test_fitting_keeps_the_middle(tmp_path):
    halves = Image.new("RGB", (672, 224), (255, 0, 0))
    halves.paste((0, 0, 255), (224, 0, 448, 224))
    buffer = io.BytesIO()
    halves.save(buffer, "PNG")
    data = load_image_folder(as_zip(tmp_path / "p.zip", members() | {"train/zebra/9.png": buffer.getvalue()}))
    assert (data.train_images[-1].permute(1, 2, 0) == torch.tensor([0, 0, 255])).all()


def test_picture_that_cannot_be_decoded_is_named(make):
    whole, _ = picture(size=(60, 50), form="JPEG")
    for broken in (b"not a picture", whole[: len(whole) // 2]):
        with pytest.raises(DatasetUnavailable, match=r"the picture train/zebra/1\.png cannot be (read|decoded)"):
            load_image_folder(make(members(size=(60, 50)) | {"train/zebra/1.png": broken}))


def test_classes_that_differ_are_named(make):
    files = members() | {"test/yak/0.png": picture()[0]}
    with pytest.raises(DatasetUnavailable, match=r"in only one of train/ and test/: yak\."):
        load_image_folder(make(files))


def test_folder_without_test_pictures_is_refused(make):
    files = {name: content for name, content in members().items() if name.startswith("train/")}
    with pytest.raises(DatasetUnavailable, match=r"has no picture in test/<class>/"):
        load_image_folder(make(files))


def test_pictures_without_train_and_test_are_all_for_training(make):
    files = {name.removeprefix("train/"): content for name, content in members().items() if name.startswith("train/")}
    data = load_image_folder(make(files | {"__MACOSX/ant/._0.png": b"", "__MACOSX/._0.png": b""}))
    assert data.class_names == ("ant", "zebra")
    assert data.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(data.test_labels) == len(data.test_images) == 0


def test_folder_without_any_picture_is_refused(make):
    with pytest.raises(DatasetUnavailable, match=r"has no picture in train/<class>/"):
        load_image_folder(make({"train/0.png": picture()[0], "notes.txt": b""}))


def test_broken_zip_is_refused(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    with pytest.raises(DatasetUnavailable, match=r"broken\.zip is not a readable zip"):
        load_image_folder(tmp_path / "broken.zip")


def test_image_folder_is_found_by_its_listed_name_alone(home):
    (home / "data").mkdir()
    as_zip(home / "data" / "some.zip", members())
    as_zip(home / "outside.zip", members())
    assert len(load_data("imagefolder:some.zip", home).train_images) == 6
    for name in ("imagefolder:other.zip", "imagefolder:../outside.zip", "imagefolder:"):
        with pytest.raises(DatasetUnavailable, match="holds no usable"):
            load_data(name, home)


def test_unknown_dataset_is_refused(tmp_path):
    with pytest.raises(DatasetUnavailable, match="no dataset is named 'mnist'; installed are cifar10, cifar100, "):
        load_data("mnist", tmp_path)


def test_download_that_fails_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    with pytest.raises(DatasetUnavailable, match=r"CIFAR-10 could not be downloaded \(.*refused.*\); put it into"):
        load_data("cifar10", tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetUnavailable, match="could not be downloaded"):
        load_data("cifar10", tmp_path / "file")


@pytest.mark.parametrize(("name", "kind"), [("cifar100", "CIFAR100"), ("fashion_mnist", "FashionMNIST")])
def test_download_that_fails_says_which(name, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(getattr(torchvision.datasets, kind), "url", "http://127.0.0.1:9/x.tar.gz", raising=False)
    monkeypatch.setattr(getattr(torchvision.datasets, kind), "mirrors", ["http://127.0.0.1:9/"], raising=False)
    with pytest.raises(DatasetUnavailable, match=rf"could not be downloaded \(.*\); put it into .*{name}"):
        load_data(name, tmp_path)


def test_fashion_mnist_is_read_from_its_own_files(tmp_path):
    folder = tmp_path / "fashion_mnist" / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    for part in ("train", "t10k"):
        sizes = b"".join(size.to_bytes(4, "big") for size in pixels.shape)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + sizes + pixels.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x03" + bytes([9, 0, 1]))
    data = load_data("fashion_mnist", tmp_path)
    assert data.input_shape == FASHION_MNIST.input_shape
    assert data.train_labels.tolist() == data.test_labels.tolist() == [9, 0, 1]
    assert len(data.class_names) == 10
    np.testing.assert_array_equal(data.train_images[:, 0], pixels)


def test_cifar10_is_read_from_its_own_files(tmp_path, monkeypatch):
    folder = tmp_path / "cifar10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    pixels = np.arange(2 * 3072, dtype=np.uint32).reshape(2, 3072).astype(np.uint8)
    for name in ("data_batch_1", "test_batch"):
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": [1, 0]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["plane", "car"]}))
    sums = {file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    cifar = torchvision.datasets.CIFAR10
    monkeypatch.setattr(cifar, "train_list", [["data_batch_1", sums["data_batch_1"]]])
    monkeypatch.setattr(cifar, "test_list", [["test_batch", sums["test_batch"]]])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": sums["batches.meta"]}
    monkeypatch.setattr(cifar, "meta", meta)
    data = load_data("cifar10", tmp_path)
    assert data.class_names == ("plane", "car")
    assert data.train_labels.tolist() == [1, 0]
    np.testing.assert_array_equal(data.train_images.reshape(2, 3072), pixels)
