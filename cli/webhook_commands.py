"""The commands `pathscope webhooks …`; `cli.webhooks` does the work."""

from typing import Annotated

import typer

from cli.options import AsJson, server_asked

app = typer.Typer(help="Have addresses told when runs end.", no_args_is_help=True)

WebhookId = Annotated[int, typer.Argument(min=1, metavar="ID", help="The webhook's number.")]


@app.command("list")
def list_webhooks(
    run: Annotated[int | None, typer.Option(min=1, help="Only those of this run.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List the webhooks that you may have, and what became of the newest message of each."""
    from cli.webhooks import list_webhooks as list_them

    with server_asked() as server:
        list_them(server, run, as_json)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="http or https; gets a POST when a run ends.")],
    run: Annotated[int | None, typer.Option(min=1, help="This run alone; left out: every run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a webhook and print its secret, this once. Without --run it needs scope admin, else the run's own token."""
    from cli.webhooks import add as add_it

    with server_asked() as server:
        add_it(server, url, run, as_json)


@app.command()
def remove(webhook: WebhookId) -> None:
    """Remove a webhook with what it has not sent yet."""
    from cli.webhooks import remove as remove_it

    with server_asked() as server:
        remove_it(server, webhook)


@app.command()
def deliveries(webhook: WebhookId, as_json: AsJson = False) -> None:
    """List its newest hundred messages: how often each was tried and what came back."""
    from cli.webhooks import list_deliveries

    with server_asked() as server:
        list_deliveries(server, webhook, as_json)


@app.command()
def test(webhook: WebhookId) -> None:
    """Send it a test and wait for the first answer; 1 where it does not take it."""
    from cli.webhooks import test as test_it

    with server_asked() as server:
        test_it(server, webhook)
