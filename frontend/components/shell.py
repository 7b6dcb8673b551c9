"""What surrounds every page: top bar, notices, and the stores that pages listen to.

Ids that pages may use: `url` (the one dcc.Location; its `search` holds a page's state), `live` (ticks, see live.py),
`theme` ("light" or "dark"), `notifications` (`sendNotifications`).
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.access import actor
from frontend.components.icons import icon
from frontend.components.panel import attributes

_LINKS = (
    ("Runs", "/", "nav-runs"),
    ("New run", "/new", "nav-new"),
    ("Compare", "/compare", "nav-compare"),
    ("Paper", "/paper", "nav-paper"),
    ("Workers", "/workers", "nav-workers"),
)

_PAGES: Any = {"aria-label": "Pages"}


class Opened(NamedTuple):
    """The page that a visit begins with, and its address as the browser writes it."""

    path: str
    search: str
    page: Component
    title: str


def shell(opened: Opened | None = None) -> Component:
    """The layout of the dashboard; the router fills `page` where nothing is opened yet."""
    address = {"pathname": opened.path, "search": opened.search} if opened else {}
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav", **address),
            dcc.Store(id="live", data={"runs": [], "n": 0}),
            dcc.Store(id="theme"),
            dcc.Store(id="title", data=opened.title if opened else None),
            dcc.Interval(id="worker-interval", interval=3000),
            dmc.NotificationContainer(id="notifications", position="bottom-right"),
            html.A("Skip to the content", href="#page", className="skip-link"),
            html.Div(
                [
                    _top_bar(),
                    _connection_lost(),
                    html.Main(
                        opened.page if opened else _loading(),
                        id="page",
                        className="page",
                        tabIndex=-1,
                        **attributes({"data-since": datetime.now(UTC).isoformat()}),  # live.js asks what came after it
                    ),
                ],
                className=f"scope-{actor().scope}",  # shell.css hides what the scope does not allow
            ),
        ],
        id="mantine",
        theme={
            "primaryColor": "indigo",
            "primaryShade": {"light": 8, "dark": 8},  # white on the lighter ones, or they on white, are hard to read
            "defaultRadius": "md",
            "cursorType": "pointer",
            "respectReducedMotion": True,
        },
    )


def _top_bar() -> Component:
    return html.Header(
        [
            dmc.Anchor(
                [icon("logo", size=26), html.Span("Pathscope", className="brand-name")],
                href="/",
                className="brand",
                underline="never",
                **{"aria-label": "Pathscope, all runs"},
            ),
            html.Nav(
                [dmc.Anchor(label, href=href, id=link_id, className="nav-link") for label, href, link_id in _LINKS],
                **_PAGES,
            ),
            html.Div(className="spacer"),
            html.Div(id="worker-badge", role="status"),
            dmc.Anchor("API", href="/api/docs", target="_blank", className="nav-link", id="nav-api"),
            dmc.Tooltip(
                dmc.ActionIcon(
                    icon("theme", size=18),
                    id="theme-switch",
                    variant="default",
                    size="lg",
                    **{"aria-label": "Switch between light and dark"},
                ),
                label="Light or dark",
            ),
            *([_signed_in(str(actor().name))] if actor().token else []),
        ],
        className="top-bar",
    )


def _signed_in(name: str) -> Component:
    """Who is signed in, and the way out: a form, so that it works with no script of ours."""
    return html.Form(
        [
            html.Span(name, title=f"Signed in with the token of {name}, scope {actor().scope}", id="signed-in"),
            html.Button("Sign out", type="submit", id="sign-out"),
        ],
        method="post",
        action="/sign-out",
        className="signed-in",
    )


def _connection_lost() -> Component:
    return html.Div(
        [icon("unplugged"), html.Span("The server does not answer. What you see may be old; trying again …")],
        id="connection-lost",
        className="connection-lost",
        hidden=True,
        role="alert",
    )


def _loading() -> Component:
    return dmc.Stack([dmc.Skeleton(h=36, w=220), dmc.Skeleton(h=320)], p="lg")
