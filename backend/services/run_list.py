"""Lists of runs: filtered, sorted, a page at a time. A page costs the same wherever in the list it lies."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from operator import eq, ge, gt, le, lt
from typing import Any

from sqlakeyset import BadBookmark, InvalidPage, Page, PageSerializationError, select_page
from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from backend import run_filter
from backend.errors import FieldError, InvalidInput
from backend.models import Recording, Run, RunTag
from backend.run_filter import FIELDS, Condition, Kind, Value
from backend.schemas import RunOut, RunPage, RunStatus
from backend.services.runs import run_out, with_last

NEWEST = "-created"

_COLUMNS: dict[str, Any] = {
    "id": Run.id,
    "name": Run.name,
    "net": Run.net,
    "dataset": Run.dataset,
    "status": Run.status,
    "notes": Run.notes,
    "reason": Run.reason,
    "worker": Run.worker,
    "submitted_by": Run.submitted_by,
    "attempt": Run.attempt,
    "sweep": Run.sweep_id,
    "recordings": func.coalesce(Run.last_recording + 1, 0),
    "created": Run.created_at,
    "started": Run.started_at,
    "finished": Run.finished_at,
    "epoch": Recording.epoch,
    "train_loss": Recording.train_loss,
    "train_accuracy": Recording.train_accuracy,
    "test_loss": Recording.test_loss,
    "test_accuracy": Recording.test_accuracy,
}
_WORDS = (Run.name, Run.net, Run.dataset)
_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {"=": eq, ">": gt, ">=": ge, "<": lt, "<=": le}
_LEAST: dict[Kind, Value] = {Kind.NUMBER: -1.0, Kind.TIME: datetime(1970, 1, 1, tzinfo=UTC), Kind.FLAG: False}
"""Stands for a missing value where runs are sorted, below every value that there is."""


def list_runs(
    session: Session,
    *,
    filter: str | None = None,  # noqa: A002 - the name that it has in the API
    status: RunStatus | None = None,
    net: str | None = None,
    dataset: str | None = None,
    tag: str | None = None,
    sweep: int | None = None,
    sort: str = NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> RunPage:
    """One page of the runs that fit the filter and every other argument. Raises InvalidInput, for a cursor as well."""
    query = with_last(select(Run)).where(*_where(filter))
    for column, value in ((Run.status, status), (Run.net, net), (Run.dataset, dataset), (Run.sweep_id, sweep)):
        if value is not None:
            query = query.where(column == value)
    if tag is not None:
        query = query.where(_tagged(eq(RunTag.tag, tag)))
    ordered = query.order_by(*_order(sort))
    try:
        # its types are those of SQLAlchemy 2.0, where a row of several columns was one tuple
        page: Page[Any] = select_page(session, ordered, per_page=limit, page=cursor)  # type: ignore[arg-type]
    except (BadBookmark, InvalidPage, PageSerializationError, ValueError) as error:
        message = "not a cursor of this listing; take it from next_cursor, with the same sort"
        raise InvalidInput([FieldError("cursor", cursor, message)]) from error
    return RunPage(
        runs=[run_out(row[0], row[1]) for row in page],
        matching=_count(session, query),
        next_cursor=page.paging.bookmark_next if page.paging.has_next else None,
        previous_cursor=page.paging.bookmark_previous if page.paging.has_previous else None,
    )


def runs_among(session: Session, run_ids: Sequence[int], text: str | None = None) -> list[RunOut]:
    """Those of the runs that exist and fit the filter, newest first. Raises InvalidInput."""
    query = with_last(select(Run)).where(Run.id.in_(run_ids), *_where(text)).order_by(Run.id.desc())
    return [run_out(run, last) for run, last in session.execute(query)]


def ids_matching(session: Session, text: str, limit: int) -> list[int]:
    """The newest runs that fit the filter, at most `limit`. Raises InvalidInput."""
    query = with_last(select(Run)).where(*_where(text)).order_by(Run.id.desc()).limit(limit)
    return list(session.scalars(query.with_only_columns(Run.id)))


def _count(session: Session, query: Any) -> int:
    return session.scalar(select(func.count()).select_from(query.with_only_columns(Run.id).subquery())) or 0


def _where(text: str | None) -> list[ColumnElement[bool]]:
    return [_clause(condition) for condition in run_filter.parse(text or "")]


def _clause(condition: Condition) -> ColumnElement[bool]:
    field, operator, values = condition
    if field is None:
        return or_(
            *(column.icontains(values[0], autoescape=True) for column in _WORDS),
            _tagged(RunTag.tag.icontains(values[0], autoescape=True)),
        )
    if operator in ("!=", "!~"):
        return ~func.coalesce(_clause(Condition(field, "=" if operator == "!=" else "~", values)), literal(False))
    column = RunTag.tag if field == "tag" else _column(field)
    found = or_(*(_compare(column, operator, value) for value in values))
    return _tagged(found) if field == "tag" else found


def _compare(column: Any, operator: str, value: Value) -> ColumnElement[bool]:
    contains: Callable[[Value], ColumnElement[bool]] = partial(column.icontains, autoescape=True)
    return contains(value) if operator == "~" else _COMPARE[operator](column, value)


def _tagged(found: ColumnElement[bool]) -> ColumnElement[bool]:
    return Run.id.in_(select(RunTag.run_id).where(found))


def _column(field: str) -> Any:
    if field in _COLUMNS:
        return _COLUMNS[field]
    value = Run.spec[tuple(field.split("."))]
    return {Kind.NUMBER: value.as_float, Kind.FLAG: value.as_boolean}.get(FIELDS[field], value.as_string)()


def _order(sort: str) -> tuple[ColumnElement[Any], ...]:
    falling, field = sort.startswith("-"), run_filter.canonical(sort.removeprefix("-"))
    if field is None or FIELDS[field] is Kind.TAG:
        known = ", ".join(name for name, kind in FIELDS.items() if kind is not Kind.TAG)
        raise InvalidInput([FieldError("sort", sort, f"not a field to sort by; choose one of {known}, or - and it")])
    # In the order in which runs were submitted is in the order of their numbers.
    columns = (Run.id,) if field in ("created", "id") else (_missing_last(field), Run.id)
    return tuple(column.desc() if falling else column.asc() for column in columns)


def _missing_last(field: str) -> Any:
    if field in ("name", "net", "dataset", "status"):
        return _column(field)
    return func.coalesce(_column(field), literal(_LEAST.get(FIELDS[field], "")))
