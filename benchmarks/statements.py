"""What the views ask of the database: how many statements each, and how the database goes about them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from backend.db import engine, read_scope
from backend.errors import AppError
from frontend.components.facts import Facts, read_facts, read_run
from frontend.views.choice import scene_of
from frontend.views.registry import VIEWS
from frontend.views.view import Chosen

VALUES = ("layer_arrays", "layer_summaries", "answers", "projections")
Statement = tuple[str, Any]


@contextmanager
def listening() -> Iterator[list[Statement]]:
    found: list[Statement] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(engine(), "before_cursor_execute", note)
    yield found
    event.remove(engine(), "before_cursor_execute", note)


def of_views(run_id: int) -> dict[str, list[Statement]]:
    """The statements of every view that the run has, and of what its pages ask first."""
    with listening() as asked:
        read_run(run_id)
        facts = read_facts(run_id)
    found = {"page": list(asked)}
    for name in VIEWS:
        with listening() as asked:
            try:
                _read(facts, name)
            except AppError:
                continue
        found[name] = list(asked)
    return found


def _read(facts: Facts, name: str) -> None:
    view = VIEWS[name]
    given = {parameter: n for n, parameter in enumerate(("image", "partner")) if parameter in view.parameters}
    scene = scene_of(view, facts, Chosen.model_validate(given))
    with read_scope() as session:
        view.read(session, scene)


def scans(statements: list[Statement]) -> list[str]:
    """Where the database reads a whole table of values to answer them: the lines of its plan that say so."""
    found = []
    with engine().connect() as connection:
        for statement, parameters in statements:
            found += [line for line in _plan(connection, statement, parameters) if _whole_table(connection, line)]
    return found


def _plan(connection: Any, statement: str, parameters: Any) -> list[str]:
    word = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return [str(row[-1]).strip() for row in connection.exec_driver_sql(f"{word} {statement}", parameters)]


def _whole_table(connection: Any, line: str) -> bool:
    """Postgres tells how many rows it expects to keep: of a tenth of the table or more, reading all of it is right."""
    table = next((one for one in VALUES if f"Seq Scan on {one}" in line or line.startswith(f"SCAN {one}")), None)
    kept = re.search(r"rows=(\d+)", line)
    if table is None or kept is None:
        return table is not None
    rows = connection.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = %s", (table,)).scalar_one()
    return int(kept[1]) < rows / 10
