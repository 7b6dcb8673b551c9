"""Which page an address shows.

Dash's own pages would build the page anew whenever the query string changes; here a change of the path alone does, so
that a page keeps its state in the query (`url.search`) and redraws only what a selection touches.

A visit gets shell and page in one answer, which the browser asks for with the first lines of the HTML, beside the
scripts; links within the dashboard change the page alone.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State
from dash._utils import to_json
from dash.development.base_component import Component
from fastapi import FastAPI, Request, Response

from backend.errors import AppError, NotFound
from frontend.components.notices import notice_page
from frontend.components.shell import Opened, shell
from frontend.pages import Page


class Match(NamedTuple):
    page: Page
    variables: dict[str, str]


def match(pages: Sequence[Page], pathname: str) -> Match | None:
    """The page for this path and the variables in it; None where no page has it."""
    for page in pages:
        pattern = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", page.PATH_TEMPLATE)
        found = re.fullmatch(pattern, pathname.rstrip("/") or "/")
        if found:
            return Match(page, found.groupdict())
    return None


def register(dash_app: Dash, pages: Sequence[Page]) -> None:
    """Show the page of the address in `page`, and name it in the browser's title."""

    @dash_app.callback(
        Output("page", "children"),
        Output("title", "data"),
        Input("url", "pathname"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    async def show_page(pathname: str, search: str | None) -> tuple[Component, str]:
        return await asyncio.to_thread(render, pages, pathname, search or "")

    dash_app.clientside_callback(ClientsideFunction("shell", "entered"), Input("title", "data"))
    for page in pages:
        page.register(dash_app)


def serve_layout(api: FastAPI, pages: Sequence[Page]) -> None:
    """Answer Dash's question for the layout with the page that asks; before Dash registers its own route.

    Dash does not say which page asks, the browser does (the Referer). Where it does not, the page comes by `show_page`.
    """

    @api.get("/_dash-layout", include_in_schema=False)
    def layout(request: Request) -> Response:
        asking = urlsplit(request.headers.get("referer", ""))
        search = f"?{asking.query}" if asking.query else ""
        opened = Opened(asking.path, search, *render(pages, asking.path, search)) if asking.path else None
        # Another page asks at the same address.
        return Response(to_json(shell(opened)), media_type="application/json", headers={"Cache-Control": "no-store"})


def render(pages: Sequence[Page], pathname: str, search: str) -> tuple[Component, str]:
    """The page's layout and the window's title; what a service refuses becomes a notice instead of the page."""
    found = match(pages, pathname)
    if found is None:
        return notice_page("There is no such page", f"Nothing is kept at {pathname}."), "Not found · Pathscope"
    try:
        content = found.page.layout(**{**dict(parse_qsl(search.removeprefix("?"))), **found.variables})
    except NotFound as error:
        return notice_page("Not found", error.detail), "Not found · Pathscope"
    except AppError as error:
        return notice_page(error.title, error.detail), f"{error.title} · Pathscope"
    title = getattr(content, "data-title", None) or found.page.TITLE.format(**found.variables)
    return dmc.Box(content, className="page-content"), f"{title} · Pathscope"
