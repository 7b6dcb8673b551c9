"""The API as one ASGI app; `frontend.app` mounts the dashboard on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from backend.api.body_limit import BodyLimit
from backend.api.live import Hub, keep_runs_moving
from backend.api.problems import handle_errors
from backend.api.routes import (
    distances,
    early_to_mid,
    events,
    projections,
    recordings,
    runs,
    server,
    statistics,
    two_times,
)
from backend.errors import NotFound
from backend.settings import settings

PREFIX = "/api/v1"


def create_app() -> FastAPI:
    """The whole API; an unknown path under /api is a JSON 404, whatever is mounted beside it."""
    app: FastAPI = FastAPIOffline(
        title="Pathscope",
        version=version("pathscope"),
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        swagger_ui_oauth2_redirect_url="/api/docs/oauth2-redirect",
        static_url="/api/static",
        lifespan=_lifespan,
    )
    app.state.hub = Hub()
    app.add_middleware(BodyLimit, max_bytes=settings().max_body_bytes)
    handle_errors(app)
    app.include_router(server.health)
    for routes in (runs, recordings, statistics, distances, two_times, projections, early_to_mid, events, server):
        app.include_router(routes.router, prefix=PREFIX)
    app.add_api_route(
        "/api/{path:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(app.state.hub.watch()), asyncio.create_task(keep_runs_moving())]
    yield
    for task in tasks:
        task.cancel()


def _unknown(path: str) -> None:
    raise NotFound(f"there is nothing at /api/{path}; /api/docs lists what there is")
