"""Changes of a run's name, tags and notes, as a form sends them: what is wrong is told by field."""

from pydantic import ValidationError

from backend.db import session_scope
from backend.errors import InvalidInput
from backend.schemas import RunEdit
from backend.services import run_edits

_RIGHT = {
    "name": "a name has 1 to 200 characters",
    "tags": "at most 20 tags, each one word of at most 100 characters, without a comma",
    "notes": "notes have at most 20,000 characters",
}


def edit(run_id: int, name: str | None, tags: list[str] | None, notes: str | None) -> dict[str, str]:
    """Write the change; else, by field, what is wrong. Raises NotFound, Forbidden."""
    try:
        change = RunEdit(name=name or "", tags=tuple(tags or ()), notes=notes or "")
        with session_scope() as session:
            run_edits.edit(session, run_id, change)
    except ValidationError as error:
        return {str(one["loc"][0]): _wrong(str(one["loc"][0]), one["input"]) for one in error.errors()}
    except InvalidInput as error:
        return {one.field: one.message for one in error.errors}
    return {}


def _wrong(field: str, value: object) -> str:
    if isinstance(value, tuple):
        return f"these are {len(value)}: {_RIGHT[field]}"
    text = str(value)
    found = f"{text!r}" if len(text) <= 50 else f"{len(text):,} characters"
    return f"found {found}: {_RIGHT[field]}"
