"""What the server offers and whether it is well."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend import catalogue, queue
from backend.api.deps import INVALID, Reading
from backend.api.metrics import registry
from backend.db import read_scope
from backend.estimate import RunSize, run_size
from backend.machines import QueuedRun, WorkerOut
from backend.schemas import RunSpec
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
def get_catalogue() -> catalogue.Catalogue:
    """The nets and datasets that a run may name, and the defaults of everything else."""
    return catalogue.catalogue()


@router.post("/estimate", responses=INVALID)
def estimate_run(spec: RunSpec) -> RunSize:
    """How many bytes a run of this spec would store; nothing is submitted."""
    return run_size(spec)


@router.get("/workers")
def list_workers(session: Reading) -> list[WorkerOut]:
    """The workers that have been heard of: their machine, how busy it is, and what they train."""
    return workers.list_workers(session)


@router.get("/queue")
def list_queue(session: Reading) -> list[QueuedRun]:
    """The runs that wait, in the order in which they will be taken up, and why each has not begun."""
    return workers.list_queue(session)


@health.get("/healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@health.get("/metrics", response_class=PlainTextResponse)
def metrics() -> Response:
    """Figures for Prometheus."""
    return Response(generate_latest(registry()), media_type=CONTENT_TYPE_PLAIN_0_0_4)


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
