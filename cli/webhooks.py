"""`pathscope webhooks`: list, add, remove, test, and what was delivered."""

import time
from typing import Any

from rich.table import Table
from rich.text import Text

from backend.schemas import DeliveryState
from backend.services.webhooks import DeliveryOut, WebhookMade, WebhookOut
from cli.client import Server
from cli.console import CliError, complain, out, say
from cli.tables import moment

_POLL_SECONDS = 0.3
_PATIENCE_SECONDS = 20.0
"""A server looks every two seconds for what to send, and waits ten for an answer."""
_COLOURS = {DeliveryState.WAITING: "yellow", DeliveryState.DELIVERED: "green", DeliveryState.FAILED: "red"}


def list_webhooks(server: Server, run_id: int | None, as_json: bool) -> None:
    answer = server.get("/webhooks", {"run": run_id} if run_id else None)
    if as_json:
        out.print_json(data=answer)
        return
    if not answer:
        of_it = f" of run {run_id}" if run_id else ""
        say(f"There is no webhook{of_it}; add one with `pathscope webhooks add URL`.")
        return
    table = _table("Tells of", "Address", "Since", "Last message", "Came back")
    for one in [WebhookOut.model_validate(row) for row in answer]:
        about = f"run {one.run}" if one.run else "every run"
        state, came_back = (_state(one.last), _came_back(one.last)) if one.last else (Text("-"), Text("-"))
        table.add_row(str(one.id), about, Text(one.url), moment(one.created_at), state, came_back)
    out.print(table)


def add(server: Server, url: str, run_id: int | None, as_json: bool) -> None:
    """Print the secret alone on standard output: a script can take it from there."""
    answer = server.post("/webhooks", {"url": url, "run": run_id})
    if as_json:
        out.print_json(data=answer)
        return
    made = WebhookMade.model_validate(answer)
    about = f"run {made.run}" if made.run else "every run"
    complain(f"Webhook {made.id} tells {made.url} of the end of {about}; its secret is shown only now:")
    say(made.secret)


def remove(server: Server, webhook_id: int) -> None:
    server.delete(f"/webhooks/{webhook_id}")
    say(f"Webhook {webhook_id} is removed.")


def list_deliveries(server: Server, webhook_id: int, as_json: bool) -> None:
    answer = server.get(f"/webhooks/{webhook_id}/deliveries")
    if as_json:
        out.print_json(data=answer)
        return
    if not answer:
        say(f"Webhook {webhook_id} has sent nothing yet; try it with `pathscope webhooks test {webhook_id}`.")
        return
    table = _table("Message", "Run", "State", "Tried", "Last tried", "Came back")
    for one in [DeliveryOut.model_validate(row) for row in answer]:
        run, tried = str(one.run_id or "-"), str(one.attempts)
        table.add_row(str(one.id), one.type, run, _state(one), tried, moment(one.attempted_at), _came_back(one))
    out.print(table)


def test(server: Server, webhook_id: int) -> None:
    """Send a test and say what came back. Raises CliError where it was not taken at the first attempt."""
    asked = server.post(f"/webhooks/{webhook_id}/test")["id"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (sent := _delivery(server, webhook_id, asked)).attempts:
        if time.monotonic() > deadline:
            raise CliError(f"the test of webhook {webhook_id} waits to be sent; `pathscope webhooks deliveries` tells")
        time.sleep(_POLL_SECONDS)
    if sent.state is not DeliveryState.DELIVERED:
        again = "; it is tried again" if sent.state is DeliveryState.WAITING else ""
        raise CliError(f"webhook {webhook_id} did not take the test: {sent.error}{again}")
    say(f"Webhook {webhook_id} took the test: HTTP {sent.response}.")


def _delivery(server: Server, webhook_id: int, delivery_id: int) -> DeliveryOut:
    answer: list[dict[str, Any]] = server.get(f"/webhooks/{webhook_id}/deliveries")
    found = next((one for one in answer if one["id"] == delivery_id), None)
    if found is None:
        raise CliError(f"webhook {webhook_id} no longer has message {delivery_id}")
    return DeliveryOut.model_validate(found)


def _state(delivery: DeliveryOut) -> Text:
    return Text(delivery.state.value, style=_COLOURS[delivery.state])


def _came_back(delivery: DeliveryOut) -> Text:
    return Text(delivery.error or (f"HTTP {delivery.response}" if delivery.response else "-"))


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Id", justify="right")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
