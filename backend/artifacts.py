"""Where a run's files lie, on whatever fsspec can reach; the only module that opens them.

runs/<id>/paths/<t>/<attempt>/<k>     packed paths of layer k at recording t (`codec.encode`)
runs/<id>/checkpoints/<t>-<attempt>   what a trainer needs to go on after recording t (`sealed`)
runs/<id>/images/<i>.png              probe image i
runs/<id>/distances                   those of the probe images' pixels, as pairs (`codec.encode`)

An attempt writes under its own number, and the recording's row says which attempt made it: one that was given up can
overwrite nothing of its successor. What does not depend on training is the same whoever writes it.
"""

import errno
import hashlib
import os
import re
import shutil
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from backend.errors import Damaged, NoSpace
from backend.settings import settings

CHECKPOINTS_KEPT = 2
"""The newest, and the one before in case that one is damaged."""
_MAGIC = b"pathscope checkpoint 1\n"
_CHECKPOINT = re.compile(r"(\d+)-(\d+)")


class CheckpointName(NamedTuple):
    """It was written after recording t, by this attempt."""

    t: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.t}-{self.attempt}"


@lru_cache
def _root() -> tuple[AbstractFileSystem, str]:
    filesystem, path = url_to_fs(settings().artifacts)
    return filesystem, path.rstrip("/")


def _path(run_id: int, *parts: object) -> str:
    return "/".join([_root()[1], "runs", str(run_id), *map(str, parts)])


def _write(path: str, data: bytes) -> None:
    """All of the data or nothing. Raises NoSpace."""
    filesystem = _root()[0]
    try:
        if isinstance(filesystem, LocalFileSystem):
            _write_local(Path(path), data)
        else:
            filesystem.pipe_file(path, data)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(_no_space()) from error
        raise


def _write_local(path: Path, data: bytes) -> None:
    # Beside the place, not in a temporary folder: only within one file system does a file move in one step.
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _no_space() -> str:
    filesystem, root = _root()
    if not isinstance(filesystem, LocalFileSystem):
        return f"the artifacts at {root} have no room left; make room there, then retry the run"
    free = shutil.disk_usage(root).free
    return f"the artifact folder {root} has no room left ({free:,} bytes are free); make room there, then retry the run"


def _read(path: str) -> bytes | None:
    try:
        data: bytes = _root()[0].cat_file(path)
    except FileNotFoundError:
        return None
    return data


def _names(path: str) -> list[str]:
    """What lies in this folder, which need not exist."""
    filesystem = _root()[0]
    filesystem.invalidate_cache(path)
    try:
        return [str(name).rstrip("/").rpartition("/")[2] for name in filesystem.ls(path, detail=False)]
    except FileNotFoundError:
        return []


def _delete(path: str) -> None:
    """Remove the file or folder with all that is in it; it need not exist."""
    filesystem = _root()[0]
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)


def write_paths(run_id: int, attempt: int, t: int, k: int, data: bytes) -> None:
    _write(_path(run_id, "paths", t, attempt, k), data)


def read_paths(run_id: int, attempt: int, t: int, k: int) -> bytes | None:
    """The stored packed paths, or None where they were not recorded."""
    return _read(_path(run_id, "paths", t, attempt, k))


def delete_paths(run_id: int, t: int) -> None:
    """Remove the packed paths of recording t; there need be none."""
    _delete(_path(run_id, "paths", t))


def delete_other_paths(run_id: int, attempt: int, t: int) -> None:
    """Remove what other attempts than the one that made recording t left of it."""
    for name in _names(_path(run_id, "paths", t)):
        if name != str(attempt):
            _delete(_path(run_id, "paths", t, name))


def write_image(run_id: int, i: int, png: bytes) -> None:
    _write(_path(run_id, "images", f"{i}.png"), png)


def read_image(run_id: int, i: int) -> bytes | None:
    return _read(_path(run_id, "images", f"{i}.png"))


def write_distances(run_id: int, data: bytes) -> None:
    _write(_path(run_id, "distances"), data)


def read_distances(run_id: int) -> bytes | None:
    return _read(_path(run_id, "distances"))


def write_checkpoint(run_id: int, name: CheckpointName, data: bytes) -> None:
    """Store it and remove those that are older than the one before."""
    _write(_path(run_id, "checkpoints", name), sealed(data))
    for old in list_checkpoints(run_id):
        if old.t <= name.t - CHECKPOINTS_KEPT:
            _delete(_path(run_id, "checkpoints", old))


def list_checkpoints(run_id: int) -> list[CheckpointName]:
    """Those that are there, newest first. One whose recording was made anew by another attempt does not count."""
    found = (_CHECKPOINT.fullmatch(name) for name in _names(_path(run_id, "checkpoints")))
    return sorted((CheckpointName(int(one[1]), int(one[2])) for one in found if one), reverse=True)


def read_checkpoint(run_id: int, name: CheckpointName) -> bytes:
    """Raises Damaged."""
    data = _read(_path(run_id, "checkpoints", name))
    try:
        return unsealed(data or b"")
    except Damaged as error:
        raise Damaged(f"the checkpoint after recording {name.t} is damaged: {error}") from error


def sealed(data: bytes) -> bytes:
    """With a checksum before it, so that damage is noticed."""
    return _MAGIC + hashlib.sha256(data).digest() + data


def unsealed(stored: bytes) -> bytes:
    """Raises Damaged."""
    start = len(_MAGIC) + hashlib.sha256().digest_size
    if not stored.startswith(_MAGIC) or len(stored) < start:
        raise Damaged("it does not begin like one")
    if hashlib.sha256(stored[start:]).digest() != stored[len(_MAGIC) : start]:
        raise Damaged("its checksum is wrong")
    return stored[start:]


def list_runs() -> list[int]:
    """The runs that have a folder, ascending."""
    filesystem, root = _root()
    folder = f"{root}/runs"
    if not filesystem.exists(folder):
        return []
    names = [path.rstrip("/").rsplit("/", 1)[-1] for path in filesystem.ls(folder, detail=False)]
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def delete_run(run_id: int) -> None:
    """Remove every file of the run; none need exist."""
    _delete(_path(run_id))
