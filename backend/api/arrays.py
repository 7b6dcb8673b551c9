"""Arrays as JSON: NaN becomes null, and so does an index below 0."""

from typing import Any

import numpy as np
import orjson
from fastapi import Response


def answer(body: dict[str, Any]) -> Response:
    """A body that may hold arrays and numbers of NumPy at its first level."""
    plain = {name: _plain(value) for name, value in body.items()}
    return Response(orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def with_nulls(indices: Any) -> object:
    """Image numbers and ranks as whole numbers, with null for -1: no such image, no rank."""
    if np.ndim(indices) == 0:
        return None if indices < 0 else int(indices)
    return [with_nulls(row) for row in indices] if (indices < 0).any() else _plain(indices)


def _plain(value: Any) -> object:
    """As orjson takes it, which writes NaN as null."""
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) and value.ndim else value
