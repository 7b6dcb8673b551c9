"""Webhooks are told of the end of a run: signed, again where they did not take it, never where they must not reach."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend import webhook_sender
from backend.api.app import create_app
from backend.db import session_scope
from backend.models import WebhookDelivery
from backend.schemas import RunSpec
from backend.services import commands, runs, webhooks
from backend.services.webhooks import WebhookIn
from tests.conftest import forget_settings
from tests.made_runs import make_run


class Receiver(BaseHTTPRequestHandler):
    answers: ClassVar[list[int]] = []
    heard: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.answers.pop(0) if self.answers else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.answers, Receiver.heard = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/hook?key=1"
        server.shutdown()


@pytest.fixture
def allowed(home, monkeypatch):
    monkeypatch.setenv("PATHSCOPE_PRIVATE_WEBHOOKS", "true")
    monkeypatch.setenv("PATHSCOPE_WEBHOOK_PAUSE_SECONDS", "0.01")
    monkeypatch.setenv("PATHSCOPE_WEBHOOK_ATTEMPTS", "3")
    forget_settings()


def make(url, run=None):
    with session_scope() as session:
        return webhooks.create(session, WebhookIn(url=url, run=run))


def send_all():
    with session_scope() as session:
        claimed = webhooks.claim(session)
    for one in claimed:
        asyncio.run(webhook_sender.deliver(one))
    return claimed


def log_of(webhook_id):
    with session_scope() as session:
        return webhooks.deliveries(session, webhook_id)


@pytest.mark.usefixtures("database", "allowed")
def test_a_run_that_ends_is_told_of_with_a_signature_that_holds(receiver):
    made = make(receiver)
    run = make_run(count=3, tags=["paper"])
    assert send_all() == [1]
    assert send_all() == []
    [(headers, body)] = Receiver.heard
    told = json.loads(body)
    assert (told["type"], told["data"]["run"], told["data"]["tags"]) == ("run.completed", run.id, ["paper"])
    assert told["data"]["test_accuracy"] == pytest.approx(0.18)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["host"].startswith("localhost:")
    [delivery] = log_of(made.id)
    assert (delivery.state, delivery.attempts, delivery.response, delivery.error) == ("delivered", 1, 204, None)


@pytest.mark.usefixtures("allowed")
def test_a_message_that_is_not_taken_is_tried_again_and_then_given_up(receiver):
    made = make(receiver)
    make_run(count=1)
    Receiver.answers = [500, 302]
    send_all()
    assert [(one.state, one.attempts, one.response) for one in log_of(made.id)] == [("delivered", 3, 204)]
    make_run(count=1)
    Receiver.answers = [500, 503, 410]
    send_all()
    newest = log_of(made.id)[0]
    assert (newest.state, newest.attempts, newest.response) == ("failed", 3, 410)
    assert newest.error == "the receiver answered 410"
    assert len({headers["webhook-id"] for headers, _ in Receiver.heard}) == 2


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0.0.0.0"])
def test_an_address_that_is_not_public_is_never_reached(host):
    made = make(f"http://{host}:9/hook")
    make_run(count=1)
    send_all()
    [delivery] = log_of(made.id)
    assert (delivery.state, delivery.response) == ("failed", None)
    assert "PATHSCOPE_PRIVATE_WEBHOOKS" in delivery.error


@pytest.mark.usefixtures("database")
def test_a_webhook_of_one_run_hears_of_it_alone_and_a_lost_claim_is_taken_over():
    with session_scope() as session:
        first, second = (runs.submit(session, RunSpec(net="mlp", dataset="digits"))[0].id for _ in range(2))
    made = make("https://example.org", run=first)
    for run in (first, second):
        with session_scope() as session:
            commands.cancel(session, run)
    assert [(one.run_id, one.state) for one in log_of(made.id)] == [(first, "waiting")]
    with session_scope() as session:
        assert webhooks.claim(session) == [1]
        assert webhooks.claim(session) == []
        session.execute(update(WebhookDelivery).values(claimed_until=webhooks.now() - webhooks.LEASE))
        assert webhooks.claim(session) == [1]


@pytest.mark.usefixtures("home")
def test_rest_shows_the_secret_once_and_refuses_what_is_no_address():
    with TestClient(create_app()) as client:
        made = client.post("/api/v1/webhooks", json={"url": "https://example.org/hook"})
        assert made.status_code == 201
        assert made.json()["secret"].startswith("whsec_")
        [listed] = client.get("/api/v1/webhooks").json()
        assert "secret" not in listed
        for url in ("ftp://example.org", "example.org", "https://", "http://a b", "http://[x"):
            refused = client.post("/api/v1/webhooks", json={"url": url})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url")
        assert client.post("/api/v1/webhooks", json={"url": "https://a.org", "run": 5}).status_code == 404
        assert client.get("/api/v1/webhooks/1/deliveries").json() == []
        assert client.delete("/api/v1/webhooks/1").status_code == 204
        assert client.get("/api/v1/webhooks/1/deliveries").status_code == 404
