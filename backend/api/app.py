"""The API as one ASGI app; `frontend.app` mounts the dashboard on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi_offline import FastAPIOffline
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse
from starlette.routing import compile_path

from backend.api.access import Access
from backend.api.body_limit import BodyLimit
from backend.api.deps import PREFIX
from backend.api.live import Hub, keep_runs_moving
from backend.api.openapi import document_access
from backend.api.problems import handle_errors
from backend.api.request_log import RequestLog
from backend.api.routes import (
    answers,
    compare,
    distances,
    early_to_mid,
    events,
    image_states,
    projections,
    recordings,
    runs,
    server,
    statistics,
    sweeps,
    two_times,
    webhooks,
)
from backend.api.security_headers import SecurityHeaders, allow_inline_scripts, script_hashes
from backend.api.sessions import session_options
from backend.errors import NotFound
from backend.settings import settings
from backend.webhook_sender import keep_sending

STATIC = "/api/static"
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"]


def create_app(*further: APIRouter, mount: Callable[[FastAPI], object] | None = None) -> FastAPI:
    """The whole API; an unknown path under /api is a JSON 404, whatever `mount` puts beside it.

    `further` are routers of whoever mounts something. What keeps strangers out goes on last, in front of everything.
    """
    app: FastAPI = FastAPIOffline(
        title="Pathscope",
        version=version("pathscope"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        static_url=STATIC,
        lifespan=_lifespan,
    )
    app.state.hub = Hub()
    handle_errors(app)
    app.include_router(server.health)
    statistical = (statistics, compare, answers, image_states, distances, two_times, projections, early_to_mid)
    for routes in (runs, sweeps, recordings, *statistical, events, webhooks, server):
        app.include_router(routes.router, prefix=PREFIX)
    for router in further:
        app.include_router(router, prefix=PREFIX)
    _serve_docs(app)
    app.add_api_route("/api/{path:path}", _nothing_else, methods=METHODS, include_in_schema=False)
    document_access(app)
    if mount is not None:
        mount(app)
    _guard(app)
    return app


def _serve_docs(app: FastAPI) -> None:
    page = get_swagger_ui_html(
        openapi_url="/api/openapi.json",
        title="The API of Pathscope",
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
    )
    allow_inline_scripts(app, script_hashes(bytes(page.body).decode()))

    @app.get("/api/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return page


def _guard(app: FastAPI) -> None:
    """From the inside out: the last one added sees a request first."""
    app.add_middleware(BodyLimit, max_bytes=settings().max_body_bytes)
    app.add_middleware(Access)
    app.add_middleware(SessionMiddleware, **session_options())
    app.add_middleware(RequestLog)
    app.add_middleware(SecurityHeaders)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(app.state.hub.watch()), asyncio.create_task(keep_runs_moving())]
    tasks.append(asyncio.create_task(keep_sending()))
    yield
    for task in tasks:
        task.cancel()


def _nothing_else(request: Request) -> None:
    """What no route answers: a path that there is not, or another method than its own."""
    path = request.scope["path"]
    known = request.app.openapi()["paths"]
    fitting = [path] if path in known else [template for template in known if _fits(template, path)]
    allowed = {method.upper() for template in fitting for method in known[template]}
    if allowed and request.method not in allowed:
        raise HTTPException(405, f"{path} takes {', '.join(sorted(allowed))}", {"Allow": ", ".join(sorted(allowed))})
    raise NotFound(f"there is nothing at {path}; /api/docs lists what there is")


def _fits(template: str, path: str) -> bool:
    return compile_path(template)[0].match(path) is not None
