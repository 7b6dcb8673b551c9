"""`pathscope webhooks` against a real server that sends to a real receiver."""

import json

import pytest

from tests.cli.conftest import Command
from tests.made_runs import make_run
from tests.receivers import Receiver, allowed, receiver
from tests.servers import eventually

__all__ = ["allowed", "receiver"]


@pytest.fixture
def server(allowed: None, server: str) -> str:
    """One that may send to loopback."""
    return server


def test_a_webhook_is_added_tested_listed_and_removed(pathscope: Command, server: str, receiver: str) -> None:
    assert "There is no webhook;" in pathscope("webhooks", "list").stdout
    added = pathscope("webhooks", "add", receiver)
    assert (added.returncode, added.stderr) == (
        0,
        f"Webhook 1 tells {receiver} of the end of every run; its secret is shown only now:\n",
    )
    assert added.stdout.startswith("whsec_")
    assert pathscope("webhooks", "test", "1").stdout == "Webhook 1 took the test: HTTP 204.\n"
    run = make_run(count=1).id
    assert json.loads(pathscope("webhooks", "add", receiver, "--run", str(run), "--json").stdout)["run"] == run
    [sent] = eventually(lambda: [one for one in of_runs(pathscope) if one["attempts"]], "the message", 20)
    assert (sent["type"], sent["state"], sent["response"]) == ("run.completed", "delivered", 204)
    listed = pathscope("webhooks", "list").stdout
    assert f"1  every run  {receiver}" in listed
    assert f"2  run {run} " in listed
    assert "There is no webhook of run 2" not in pathscope("webhooks", "list", "--run", str(run)).stdout
    assert "webhook.test" in pathscope("webhooks", "deliveries", "1").stdout
    assert pathscope("webhooks", "deliveries", "2").stdout.startswith("Webhook 2 has sent nothing yet")
    assert pathscope("webhooks", "remove", "1").stdout == "Webhook 1 is removed.\n"
    assert [one["id"] for one in json.loads(pathscope("webhooks", "list", "--json").stdout)] == [2]


def of_runs(pathscope: Command) -> list[dict]:
    sent = json.loads(pathscope("webhooks", "deliveries", "1", "--json").stdout)
    return [one for one in sent if one["type"] != "webhook.test"]


def test_a_test_that_is_not_taken_ends_with_1_and_says_why(pathscope: Command, server: str, receiver: str) -> None:
    pathscope("webhooks", "add", receiver)
    Receiver.answers = [410] * 3
    result = pathscope("webhooks", "test", "1")
    assert result.returncode == 1
    assert result.stderr.startswith("pathscope: webhook 1 did not take the test: the receiver answered 410")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "example.org"), 2, "url: not an address; it begins with http:// or https:// and names a host"),
        (("add", "https://example.org", "--run", "9"), 1, "there is no run 9"),
        (("test", "9"), 1, "there is no webhook 9"),
        (("remove", "9"), 1, "there is no webhook 9"),
        (("deliveries", "9"), 1, "there is no webhook 9"),
        (("list", "--run", "9"), 1, "there is no run 9"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    pathscope: Command,
    server: str,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    result = pathscope("webhooks", *arguments)
    assert (result.returncode, said in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr
