"""What the server offers and whether it is well."""

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend import catalogue, queue
from backend.api.deps import INVALID, Reading
from backend.db import read_scope
from backend.estimate import RunSize, run_size
from backend.schemas import Catalogue, RunSpec, WorkerOut
from backend.services import workers

router = APIRouter(tags=["server"])
health = APIRouter(tags=["server"])


class Health(BaseModel):
    status: str


class Readiness(BaseModel):
    """Each is "ok" or says what is wrong."""

    database: str
    broker: str
    workers: str


@router.get("/catalogue")
def get_catalogue() -> Catalogue:
    """The nets and datasets that a run may name, and the defaults of everything else."""
    return catalogue.catalogue()


@router.post("/estimate", responses=INVALID)
def estimate_run(spec: RunSpec) -> RunSize:
    """How many bytes a run of this spec would store; nothing is submitted."""
    return run_size(spec)


@router.get("/workers")
def list_workers(session: Reading) -> list[WorkerOut]:
    """The workers that have been heard of."""
    return workers.list_workers(session)


@health.get("/healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@health.get("/readyz", responses={503: {"model": Readiness}})
def readyz(response: Response) -> Readiness:
    """Runs will be trained: database and broker answer, and at least one worker lives."""
    found = Readiness(database="ok", broker="ok", workers="ok")
    try:
        with read_scope() as session:
            session.execute(text("select 1"))
            if not workers.any_alive(session):
                found.workers = "no worker is running; start one with `pathscope worker`"
    except SQLAlchemyError:
        found.database, found.workers = "the database does not answer", "not known without the database"
    if not queue.broker_answers():
        found.broker = "the broker does not answer"
    response.status_code = 200 if found == Readiness(database="ok", broker="ok", workers="ok") else 503
    return found
