"""Answers that the server keeps: made once for all readers, until the run that they tell of changes.

A browser that holds an earlier answer to the same question says so by its hash (RFC 9842). It is sent what is new: the
answer compressed by zstd, with the earlier one as dictionary. Others get the whole, gzipped.
"""

import gzip
import re
from base64 import b64encode
from collections.abc import Callable, Hashable
from hashlib import sha256
from threading import Lock
from typing import NamedTuple
from uuid import uuid4

import zstandard
from cachetools import LRUCache, cached
from fastapi import Request, Response

from backend.services.versions import RunVersion

MOST_BYTES = 64 * 2**20
"""So many bytes of answers are kept, compressed as they are."""
_SERVER = uuid4().hex[:12]
"""Another server may tell of the same numbers otherwise."""
_DICTIONARY_FRAME = bytes.fromhex("5e2a4d1820000000")
_PLAIN = re.compile(r"[\w=&.%+~/-]*", re.ASCII)
"""Addresses that mean nothing else as a pattern."""


class Kept(NamedTuple):
    """An answer, gzipped, and the SHA-256 of the whole as a browser would name it."""

    packed: bytes
    name: str


_sent: LRUCache[str, bytes] = LRUCache(MOST_BYTES, getsizeof=len)
_sending = Lock()


def answer(request: Request, question: Hashable, version: RunVersion, make: Callable[[], bytes]) -> Response:
    """The JSON that `make` gives, with an ETag that changes with the run. `question` is all that it depends on else.

    Before the first recording layers and images come without a new version, so nothing is kept.
    """
    if not version.newest:
        return Response(make(), media_type="application/json", headers={"Cache-Control": "no-store"})
    tag = f'"{_SERVER}-{version.attempt}-{version.event}-{version.newest}"'
    # Pages always ask first (assets/views.js); the day says how long a browser may name it as what it has.
    headers = {
        "Cache-Control": "private, max-age=0, stale-while-revalidate=86400",
        "ETag": tag,
        "Vary": "Accept-Encoding, Available-Dictionary",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    kept = _made(question, version, make)
    with _sending:
        _sent[kept.name] = kept.packed
    content, encoding = _encoded(kept, request)
    address = f"{request.url.path}?{request.url.query}"
    if _PLAIN.fullmatch(address.replace("?", "", 1)):
        headers["Use-As-Dictionary"] = 'match="{}"'.format(address.replace("?", r"\\?", 1))
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(content, media_type="application/json", headers=headers)


@cached(
    LRUCache(MOST_BYTES, getsizeof=lambda kept: len(kept.packed)), lambda asked, version, _: (asked, version), Lock()
)
def _made(_question: Hashable, _version: RunVersion, make: Callable[[], bytes]) -> Kept:
    whole = make()
    return Kept(gzip.compress(whole, 3), f":{b64encode(sha256(whole).digest()).decode()}:")


def _encoded(kept: Kept, request: Request) -> tuple[bytes, str]:
    understood = request.headers.get("accept-encoding", "")
    with _sending:
        earlier = _sent.get(request.headers.get("available-dictionary", ""))
    if earlier is not None and "dcz" in understood:
        return _difference(gzip.decompress(kept.packed), gzip.decompress(earlier)), "dcz"
    return (kept.packed, "gzip") if "gzip" in understood else (gzip.decompress(kept.packed), "")


def _difference(whole: bytes, earlier: bytes) -> bytes:
    """Level 9 takes 16 ms for a megabyte of text; at level 3 a heat map would be 40 times as large."""
    dictionary = zstandard.ZstdCompressionDict(earlier, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    compressed = zstandard.ZstdCompressor(level=9, dict_data=dictionary).compress(whole)
    return _DICTIONARY_FRAME + sha256(earlier).digest() + compressed
