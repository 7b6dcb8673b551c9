"""Reads zips of pictures that anybody may have made: none is ever unpacked, no member is larger than a picture."""

import zipfile
from pathlib import Path, PurePosixPath

MAX_MEMBERS = 5_000_000
MAX_MEMBER_BYTES = 256 * 2**20
MAX_RATIO = 200
"""Pictures are compressed already; a bomb unpacks to a thousand times its size."""
RATIO_COUNTS_FROM_BYTES = 2**20


class UnsafeArchive(ValueError):
    """What is wrong with it, in a few words."""


def opened(path: Path) -> zipfile.ZipFile:
    """Raises UnsafeArchive for a zip with too many members or with names that lead out of it, OSError, BadZipFile."""
    archive = zipfile.ZipFile(path)
    if len(archive.filelist) > MAX_MEMBERS:
        raise UnsafeArchive(f"{path.name} has {len(archive.filelist):,} members; at most {MAX_MEMBERS:,} are read")
    for name in archive.namelist():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UnsafeArchive(f"{path.name} has the member {name!r}, which leads out of it")
    return archive


def content(archive: zipfile.ZipFile, member: str) -> bytes:
    """The member unpacked; no more is read than the directory declares. Raises UnsafeArchive, OSError, BadZipFile."""
    size, packed = archive.getinfo(member).file_size, archive.getinfo(member).compress_size
    if size > MAX_MEMBER_BYTES:
        raise UnsafeArchive(f"{member} has {size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read")
    if size > RATIO_COUNTS_FROM_BYTES and size > MAX_RATIO * packed:
        ratio = size // max(packed, 1)
        raise UnsafeArchive(f"{member} unpacks to {ratio:,} times its size; at most {MAX_RATIO} are read")
    return archive.read(member)
