"""What Prometheus reads: the figures of the whole server, asked of the database, and how fast this process answers.

Each `pathscope serve` is one process, and so a target of its own.
"""

import logging
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from backend.db import read_scope
from backend.run_states import RunStatus
from backend.services.figures import Figures, figures

log = logging.getLogger(__name__)

REQUEST_SECONDS = Histogram(
    "pathscope_request_seconds",
    "Seconds until the answer to a request began",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=None,
)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
    REQUEST_SECONDS.labels(known, route, status).observe(seconds)


class OfTheDatabase(Collector):
    """Only pathscope_database_up where the database does not answer."""

    def collect(self) -> Iterator[Metric]:
        try:
            with read_scope() as session:
                found = figures(session)
        except SQLAlchemyError as error:
            log.warning("no metrics, the database does not answer: %s", error)
            yield GaugeMetricFamily("pathscope_database_up", "Whether the database answers", value=0)
            return
        yield GaugeMetricFamily("pathscope_database_up", "Whether the database answers", value=1)
        yield from _metrics(found)


def _metrics(found: Figures) -> Iterator[Metric]:
    runs = GaugeMetricFamily("pathscope_runs", "Runs by status", labels=["status"])
    for status, count in found.runs.items():
        runs.add_metric([status], count)
    yield runs
    singles = {
        "pathscope_queue_length": ("Runs that wait for a worker", found.runs[RunStatus.QUEUED]),
        "pathscope_queue_oldest_seconds": ("How long a run has waited at most; 0: none does", found.oldest_queued or 0),
        "pathscope_workers_alive": ("Workers heard of lately", found.workers_alive),
        "pathscope_recordings": ("Recordings stored", found.recordings),
        "pathscope_lost_attempts": ("Attempts whose worker or trainer was lost, of all runs", found.lost_attempts),
        "pathscope_heartbeat_oldest_seconds": (
            "Age of the oldest sign of life of a run at work; 0: none is",
            max(found.heartbeat_ages.values(), default=0),
        ),
    }
    for name, (meaning, value) in singles.items():
        yield GaugeMetricFamily(name, meaning, value=value)
    ages = GaugeMetricFamily("pathscope_heartbeat_age_seconds", "Age of a run's last sign of life", labels=["run"])
    for run_id, age in found.heartbeat_ages.items():
        ages.add_metric([str(run_id)], age)
    yield ages


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(REQUEST_SECONDS)
    made.register(OfTheDatabase())
    return made
