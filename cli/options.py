"""What several commands take, and the server that they ask."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.client import Server

RunId = Annotated[int, typer.Argument(min=1, metavar="ID", help="The run's number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")]


def server_asked() -> "Server":
    from backend.settings import settings
    from cli.client import Server

    token = settings().token
    return Server(settings().server_url, token.get_secret_value() if token else None)
