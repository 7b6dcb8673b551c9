"""The whole web server: the API, and the dashboard on the same ASGI app."""

import logging
from pathlib import Path

import dash_mantine_components as dmc
from dash import Dash, set_props
from dash.backends._fastapi import reset_current_request, set_current_request
from dash.exceptions import PreventUpdate
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from backend.api.app import create_app as create_api
from backend.api.security_headers import allow_inline_scripts
from backend.errors import AppError
from frontend import compare_api, figures_api, live, pages_api, router, scripts, sign_in
from frontend.components.notices import notification
from frontend.components.shell import shell
from frontend.pages import Page, compare, image, new_run, pair, paper, run, runs, sweep, webhooks, workers

log = logging.getLogger(__name__)

ASSETS = Path(__file__).parent / "assets"

PAGES: tuple[Page, ...] = (runs, new_run, compare, paper, run, image, pair, sweep, workers, webhooks)
"""Every page; adding a module here is all that it takes."""

_INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        <link rel="preload" href="/_dash-layout" as="fetch" crossorigin>
        <link rel="preload" href="/_dash-dependencies" as="fetch" crossorigin>
        <link rel="icon" type="image/svg+xml" href="/assets/logo.svg">
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <footer>{%config%}{%scripts%}{%renderer%}</footer>
    </body>
</html>
"""


def create_app() -> FastAPI:
    """The API with the dashboard mounted behind its routes."""
    return create_api(figures_api.router, pages_api.router, compare_api.router, mount=mount)


def mount(api: FastAPI) -> Dash:
    """Put the dashboard onto `api`, behind every route that `api` already has."""
    dmc.add_figure_templates()
    scripts.leave_out()
    router.serve_layout(api, PAGES)
    dash_app = Dash(
        __name__,
        server=api,  # type: ignore[arg-type]
        assets_folder=str(ASSETS),
        pages_folder="",
        use_pages=False,
        title="Pathscope",
        index_string=_INDEX,
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        on_error=_on_error,
        assets_ignore=f"sign_in|{scripts.PLOTLY}",
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    # Ticks come over our own socket (live.js): Dash's would leak on reload and never recover from a restart.
    dash_app.backend.websocket_capability = False
    dash_app.layout = shell
    scripts.load_later(dash_app, ASSETS)
    live.register(dash_app)
    router.register(dash_app, PAGES)
    sign_in.register(api)
    _serve_pages(api, dash_app)
    allow_inline_scripts(api, dash_app.csp_hashes())
    # Level 9 would take most of the time of a large answer, for a few per cent.
    api.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=3)
    # Dash would see it only outside of all middleware, where it counts as a failed request by then.
    api.add_exception_handler(PreventUpdate, _nothing_to_update)
    return dash_app


def _serve_pages(api: FastAPI, dash_app: Dash) -> None:
    """Answer every path that is left with the dashboard; one that no page has gets it with status 404.

    Dash would register its own such route at start-up, for whichever Dash app was made last, and always say 200.
    """
    dash_app._setup_server()

    @api.get("/{path:path}", include_in_schema=False)
    def page(request: Request) -> Response:
        known = router.match(PAGES, request.url.path) is not None
        token = set_current_request(request)
        try:
            return Response(dash_app.index(), status_code=200 if known else 404, media_type="text/html")
        finally:
            reset_current_request(token)


def _nothing_to_update(_request: Request, _error: Exception) -> Response:
    return Response(status_code=204)


def _on_error(error: Exception) -> None:
    """Tell of what a service refuses; anything else is a bug, so write it down and let it fail."""
    if not isinstance(error, AppError):
        log.error("a callback of the dashboard failed", exc_info=error)
        raise error
    set_props("notifications", {"sendNotifications": [notification(error)]})
