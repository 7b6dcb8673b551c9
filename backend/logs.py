"""How every process logs: lines for a person on a terminal, one JSON object a line elsewhere, both on stderr.

Modules log as ever, with `logging`. What is bound with `structlog.contextvars` (the request's id, the run and its
attempt) stands in each line that is logged meanwhile.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

from backend.settings import settings

# These tell of each message, query and plug-in, which is too much even of a server in trouble.
_QUIET = ("alembic", "sqlalchemy.engine", "kombu", "amqp", "asyncio", "httpcore2", "httpx2", "urllib3", "fsspec")


def configure() -> None:
    """Send all logging of this process to stderr, those of Uvicorn and Celery included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[*_shared()], processors=[*_rendering()])
    )
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings().log_level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "celery"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_colours,
    ]


def _without_colours(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Uvicorn gives each of its lines a second time, in colours."""
    line.pop("color_message", None)
    return line


def _rendering() -> list[Processor]:
    if settings().log_format == "text" or (settings().log_format == "auto" and sys.stderr.isatty()):
        renderer: list[Processor] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    else:
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer]
