"""Folders of artifacts whose run is gone: the server died between the deletion of its rows and that of its files."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend import artifacts
from backend.models import Run


class Orphans(NamedTuple):
    """Runs that left files behind, and those whose files are newer than any run that this database knows."""

    gone: list[int]
    unknown: list[int]


def find(session: Session) -> Orphans:
    """Look at the folders first and at the rows after: a run's row always stands before its first file.

    What is newer than the newest run may be another database's, or this one was restored from a backup: it is told of
    and left alone.
    """
    folders = artifacts.list_runs()
    known = set(session.scalars(select(Run.id)))
    newest = session.scalar(select(func.max(Run.id))) or 0
    strays = [run_id for run_id in folders if run_id not in known]
    return Orphans([one for one in strays if one < newest], [one for one in strays if one > newest])


def remove(run_ids: list[int]) -> None:
    """Remove every file of these runs."""
    for run_id in run_ids:
        artifacts.delete_run(run_id)
