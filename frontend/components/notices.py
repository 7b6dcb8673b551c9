"""What a page says when it has nothing else to show, and what a refused request says."""

from typing import Any

import dash_mantine_components as dmc
from dash.development.base_component import Component

from backend.errors import AppError
from frontend.components.icons import icon


def notice_page(title: str, text: str) -> Component:
    """A page with one message and the way back."""
    return dmc.Center(
        dmc.Stack(
            [
                icon("question", size=40),
                dmc.Title(title, order=1, size="h2"),
                dmc.Text(text, c="dimmed", ta="center"),
                dmc.Anchor("Back to the runs", href="/"),
            ],
            align="center",
            gap="sm",
        ),
        mih="50vh",
        id="notice-page",
    )


def notification(error: AppError) -> dict[str, Any]:
    """What `notifications.sendNotifications` takes to tell of a refused request."""
    return {
        "action": "show",
        "title": error.title,
        "message": error.detail,
        "color": "red",
        "autoClose": 10_000,
        "withBorder": True,
    }
