"""One module per page: `PATH_TEMPLATE`, `TITLE`, `layout(...)`, and `register(dash_app)` for its callbacks.

`layout` gets the variables of the path and of the query string as keyword arguments, all of them strings, so it ends
in `**query` where it does not care about the rest. It runs in a thread, may ask services, and may raise AppError: the
router shows that as a notice. Where the component has an attribute `data-title`, that is the window's title instead.
"""

from collections.abc import Callable
from typing import Protocol

from dash import Dash
from dash.development.base_component import Component


class Page(Protocol):
    """What a page's module offers."""

    @property
    def PATH_TEMPLATE(self) -> str: ...  # noqa: N802
    @property
    def TITLE(self) -> str: ...  # noqa: N802
    @property
    def layout(self) -> Callable[..., Component]: ...
    @property
    def register(self) -> Callable[[Dash], None]: ...
