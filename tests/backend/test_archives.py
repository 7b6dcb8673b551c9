"""Zips and pictures that were made to do harm: none is read."""

import struct
import zipfile
import zlib

import pytest

from backend import archives, catalogue
from tests.backend.test_catalogue import picture, put
from worker.data import DatasetUnavailable
from worker.pictures import decoded, opened


def bomb(width=50_000, height=50_000):
    """A PNG of a few bytes that says it has 2.5 thousand million pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR" + header, b"IDAT" + zlib.compress(b""), b"IEND")
    parts = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def offered():
    return [name for name in catalogue.datasets() if name.startswith("imagefolder:")]


def shape_of(name):
    return catalogue.datasets()[f"imagefolder:{name}"].input_shape


def packed(home, content, name="train/a/1.png"):
    """A zip with one deflated member besides harmless ones."""
    path = home / "data" / "some.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("test/a/1.png", picture())
        archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../train/a/1.png", "/etc/a/1.png", "train/../../1.png"])
def test_a_zip_whose_members_lead_out_of_it_is_not_offered(home, name):
    path = packed(home, picture(), name)
    with pytest.raises(archives.UnsafeArchive, match="leads out"):
        archives.opened(path)
    assert offered() == []


def test_a_zip_with_too_many_members_is_not_offered(home, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 1)
    packed(home, picture())
    assert offered() == []


def test_a_member_that_unpacks_to_a_thousand_times_its_size_is_not_read(home):
    path = packed(home, b"\0" * 50_000_000)
    assert path.stat().st_size < 100_000
    with pytest.raises(DatasetUnavailable, match=r"train/a/1\.png unpacks to 1,0\d\d times its size"):
        opened(path, "train/a/1.png")
    assert shape_of("some.zip") is None


def test_a_member_larger_than_a_picture_is_not_read(home, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 10)
    path = packed(home, picture())
    with pytest.raises(DatasetUnavailable, match="at most 10 are read"):
        opened(path, "train/a/1.png")


def test_a_member_that_is_larger_than_it_declares_is_not_read(home):
    path = packed(home, b"x" * 5000)
    content = path.read_bytes()
    where = content.rindex(b"PK\x01\x02")  # the directory's entry of the last member: its size is at 24
    path.write_bytes(content[: where + 24] + struct.pack("<I", 10) + content[where + 28 :])
    with archives.opened(path) as archive, pytest.raises(zipfile.BadZipFile):
        archives.content(archive, "train/a/1.png")
    assert shape_of("some.zip") is None


@pytest.mark.parametrize("name", ["some", "some.zip"])
def test_a_picture_of_too_many_pixels_is_a_clear_error(home, name):
    put(home, name, {"train/a/1.png": bomb(), "test/a/1.png": bomb()})
    with pytest.raises(DatasetUnavailable, match=r"train/a/1\.png cannot be read .*2500000000 pixels"):
        opened(home / "data" / name, "train/a/1.png")
    assert shape_of(name) is None


def test_a_picture_that_ends_early_is_a_clear_error(home):
    put(home, "some", {"train/a/1.png": bomb(100, 100)})
    image = opened(home / "data" / "some", "train/a/1.png")
    with pytest.raises(DatasetUnavailable, match=r"train/a/1\.png cannot be decoded"):
        decoded(image, "RGB", "train/a/1.png")
