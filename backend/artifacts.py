"""Where a run's files lie, on whatever fsspec can reach; the only module that opens them.

runs/<id>/paths/<t>/<k>     packed paths of layer k at recording t (`codec.encode`)
runs/<id>/images/<i>.png    probe image i
runs/<id>/distances         those of the probe images' pixels, as pairs (`codec.encode`)
runs/<id>/checkpoint        what a trainer needs to go on after the newest recording
"""

from functools import lru_cache

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from backend.settings import settings


@lru_cache
def _root() -> tuple[AbstractFileSystem, str]:
    options = {"auto_mkdir": True} if settings().artifacts.startswith("file:") else {}
    filesystem, path = url_to_fs(settings().artifacts, **options)
    return filesystem, path.rstrip("/")


def _path(run_id: int, *parts: object) -> str:
    return "/".join([_root()[1], "runs", str(run_id), *map(str, parts)])


def _write(path: str, data: bytes) -> None:
    """All of the data or nothing: fsspec writes beside the place and moves it there when the block ends."""
    filesystem = _root()[0]
    with filesystem.transaction, filesystem.open(path, "wb") as file:
        file.write(data)


def _read(path: str) -> bytes | None:
    try:
        data: bytes = _root()[0].cat_file(path)
    except FileNotFoundError:
        return None
    return data


def write_paths(run_id: int, t: int, k: int, data: bytes) -> None:
    _write(_path(run_id, "paths", t, k), data)


def read_paths(run_id: int, t: int, k: int) -> bytes | None:
    """The stored packed paths, or None where they were not recorded."""
    return _read(_path(run_id, "paths", t, k))


def delete_paths(run_id: int, t: int) -> None:
    """Remove the packed paths of recording t; there need be none."""
    filesystem, path = _root()[0], _path(run_id, "paths", t)
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)


def write_image(run_id: int, i: int, png: bytes) -> None:
    _write(_path(run_id, "images", f"{i}.png"), png)


def read_image(run_id: int, i: int) -> bytes | None:
    return _read(_path(run_id, "images", f"{i}.png"))


def write_distances(run_id: int, data: bytes) -> None:
    _write(_path(run_id, "distances"), data)


def read_distances(run_id: int) -> bytes | None:
    return _read(_path(run_id, "distances"))


def write_checkpoint(run_id: int, data: bytes) -> None:
    _write(_path(run_id, "checkpoint"), data)


def read_checkpoint(run_id: int) -> bytes | None:
    return _read(_path(run_id, "checkpoint"))


def delete_run(run_id: int) -> None:
    """Remove every file of the run; none need exist."""
    filesystem, path = _root()[0], _path(run_id)
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)
