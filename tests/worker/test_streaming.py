import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from backend.schemas import RunSpec
from worker import image_folder
from worker.augmentation import random_box
from worker.data import Data, DatasetUnavailable, Epoch
from worker.datasets import IMAGENET_MEAN, load_data
from worker.image_folder import load_image_folder
from worker.streaming import StreamedData
from worker.training import Training

CPU = torch.device("cpu")


def jpeg(width, height, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve pictures of different sizes to train on, four to test, in two classes; both a folder and a zip."""
    path = tmp_path_factory.mktemp("pictures") / "pictures"
    with zipfile.ZipFile(f"{path}.zip", "w") as archive:
        for n in range(16):
            name = f"{'train' if n < 12 else 'test'}/{'ab'[n % 2]}/{n:02}.jpg"
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(jpeg(230 + 9 * n, 300 - 4 * n, n))
            archive.write(path / name, name)
    return path


@pytest.fixture
def streamed(folder, monkeypatch):
    monkeypatch.setattr(image_folder, "RESIDENT_BYTES", 0)
    return load_image_folder(folder)


def epoch(number=0, *, done=0, augmentation="flip_crop"):
    return Epoch(5, number, [4, 4, 4], done, augmentation)


def test_data_is_streamed_where_it_would_take_too_much_memory(folder, monkeypatch):
    bytes_decoded = 16 * 3 * 224 * 224
    monkeypatch.setattr(image_folder, "RESIDENT_BYTES", bytes_decoded)
    assert isinstance(load_image_folder(folder), Data)
    monkeypatch.setattr(image_folder, "RESIDENT_BYTES", bytes_decoded - 1)
    data = load_image_folder(folder)
    assert isinstance(data, StreamedData)
    assert data.input_shape == (3, 224, 224)
    assert data.train_labels.tolist() == [0] * 6 + [1] * 6
    assert data.test_labels.tolist() == [0, 0, 1, 1]
    assert 0.3 < data.mean.mean() < 0.7


def test_clean_images_are_the_middle_after_scaling_to_256(streamed, folder):
    (images, labels), (rest, _) = streamed.feed(CPU).clean_batches("test", 3)
    assert (len(images), len(rest)) == (3, 1)
    assert labels.tolist() == [0, 0, 1]
    picture = Image.open(folder / "test/a/12.jpg")  # 338×252
    scaled = picture.resize((round(338 * 256 / 252), 256), Image.Resampling.BILINEAR)
    expected = np.asarray(scaled)[16:240, (scaled.width - 224) // 2 :][:, :224].transpose(2, 0, 1)
    np.testing.assert_allclose(images[0].float(), expected.astype(np.float32), atol=12)
    assert np.abs(images[0].numpy().astype(int) - expected).mean() < 2


def test_same_epoch_gives_the_same_batches_whichever_process_reads(streamed, folder, monkeypatch):
    first = list(streamed.feed(CPU).batches(epoch()))
    assert [len(labels) for _, labels in first] == [4, 4, 4]
    monkeypatch.setattr("worker.streaming.MOST_PROCESSES", 1)
    feed = load_image_folder(folder.with_suffix(".zip")).feed(CPU)
    again, other = list(feed.batches(epoch())), list(feed.batches(epoch(1)))
    for (images, labels), (same, same_labels) in zip(first, again, strict=True):
        assert torch.equal(images, same)
        assert torch.equal(labels, same_labels)
    assert not torch.equal(first[0][0], other[0][0])
    left, _ = next(iter(feed.batches(epoch(done=2))))
    assert torch.equal(left, first[2][0])


def test_order_is_that_of_data_in_memory(streamed, folder, monkeypatch):
    monkeypatch.setattr(image_folder, "RESIDENT_BYTES", 2**30)
    resident = load_image_folder(folder).feed(CPU)
    orders = [[labels.tolist() for _, labels in feed.batches(epoch())] for feed in (streamed.feed(CPU), resident)]
    assert orders[0] == orders[1]


def test_probe_images_are_the_clean_ones(streamed):
    feed = streamed.feed(CPU)
    (images, _), *_ = feed.clean_batches("train", 12)
    indices = torch.tensor([7, 0])
    assert torch.equal(feed.images(indices), images[indices])
    assert torch.equal(feed.images(torch.tensor([3])), images[3:4])


def test_epoch_that_was_left_does_not_reach_into_the_next(streamed):
    feed = streamed.feed(CPU)
    next(feed.batches(epoch()))
    whole = [labels.tolist() for _, labels in feed.batches(epoch(1))]
    assert whole == [labels.tolist() for _, labels in streamed.feed(CPU).batches(epoch(1))]


def test_training_streams_and_resumes_to_the_bit(streamed):
    spec = RunSpec(net="mlp", dataset="digits", epochs=2, batch_size=4, augmentation="flip_crop", probe={"count": 2})

    def training():
        torch.manual_seed(0)
        net = nn.Sequential(nn.AvgPool2d(32), nn.Flatten(), nn.Dropout(0.5), nn.ReLU(), nn.Linear(147, 2))
        return Training(net, streamed, spec, CPU)

    whole = training()
    for step in whole:
        if step.step == 4:
            state = {
                key: {k: v.clone() for k, v in value.items()} if key == "net" else value
                for key, value in whole.state_dict().items()
            }
            momentum = [{"momentum_buffer": s["momentum_buffer"].clone()} for s in state["optimiser"]["state"].values()]
            state["optimiser"]["state"] = dict(enumerate(momentum))
    resumed = training()
    resumed.load_state_dict(state)
    list(resumed)
    for one, other in zip(whole.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(one, other)
    assert resumed.evaluate("test") == whole.evaluate("test")


def test_picture_that_cannot_be_read_ends_the_stream_by_name(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "RESIDENT_BYTES", 0)
    for n in range(70):
        path = tmp_path / "some" / "train" / "a" / f"{n:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((folder / "train/a/00.jpg").read_bytes())
    (tmp_path / "some/test/a").mkdir(parents=True)
    (tmp_path / "some/test/a/0.jpg").write_bytes((folder / "train/a/00.jpg").read_bytes())
    data = load_image_folder(tmp_path / "some")
    (tmp_path / "some/train/a/33.jpg").write_bytes(b"not a picture")
    with pytest.raises(DatasetUnavailable, match=r"the picture train/a/33\.jpg cannot be read"):
        list(data.feed(CPU).clean_batches("train", 35))


def test_small_pictures_of_one_size_keep_it(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "RESIDENT_BYTES", 0)
    for split in ("train", "test"):
        path = tmp_path / "small" / split / "a" / "0.png"
        path.parent.mkdir(parents=True)
        Image.new("L", (20, 10), 100).save(path)
    data = load_image_folder(tmp_path / "small")
    assert data.input_shape == (1, 10, 20)
    assert data.feed(CPU).images(torch.tensor([0])).unique().tolist() == [100]


@pytest.mark.parametrize("size", [(500, 375), (10, 3000), (1, 1)])
def test_random_box_lies_within_the_picture(size):
    draws = np.random.default_rng(0)
    for _ in range(200):
        left, upper, right, lower = random_box(*size, draws)
        assert 0 <= left < right <= size[0]
        assert 0 <= upper < lower <= size[1]


def test_imagenet_is_read_as_torchvision_lays_it_out(tmp_path, folder):
    for name, source in (("train/n02/a.JPEG", "00"), ("train/n01/b.JPEG", "02"), ("val/n01/c.JPEG", "04")):
        path = tmp_path / "imagenet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((folder / f"train/a/{source}.jpg").read_bytes())
    with pytest.raises(DatasetUnavailable, match=r"in only one of train/ and val/: n02\."):
        load_data("imagenet", tmp_path)
    (tmp_path / "imagenet/val/n02").mkdir()
    (tmp_path / "imagenet/val/n02/d.JPEG").write_bytes((folder / "train/a/06.jpg").read_bytes())
    torch.save(({"n01": ("tench", "Tinca tinca"), "n03": ("crane",)}, ["n01"]), tmp_path / "imagenet" / "meta.bin")
    data = load_data("imagenet", tmp_path)
    assert data.class_names == ("tench", "n02")
    assert data.train_labels.tolist() == [0, 1]
    assert data.mean.tolist() == pytest.approx(IMAGENET_MEAN)
    assert data.feed(CPU).images(torch.tensor([1])).shape == (1, 3, 224, 224)
    (tmp_path / "imagenet" / "meta.bin").write_bytes(b"broken")
    with pytest.raises(DatasetUnavailable, match=r"meta\.bin cannot be read"):
        load_data("imagenet", tmp_path)
