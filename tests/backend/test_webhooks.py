"""Webhooks are told of the end of a run: signed, again where they did not take it, never where they must not reach."""

import asyncio
import base64
import hashlib
import hmac
import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend import webhook_sender
from backend.access import OPERATOR, Actor, acting
from backend.api.app import create_app
from backend.db import read_scope, session_scope
from backend.errors import Forbidden, InvalidInput
from backend.models import WebhookDelivery
from backend.schemas import RunSpec, TokenScope
from backend.services import commands, runs, webhooks
from backend.services.webhooks import WebhookIn
from tests.conftest import forget_settings
from tests.made_runs import make_run
from tests.receivers import Receiver, allowed, receiver

__all__ = ["allowed", "receiver"]


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


PRIVATE = ("127.0.0.1", "127.1", "2130706433", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0.0.0.0")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_that_is_not_public_is_refused(host):
    with pytest.raises(InvalidInput, match="not a public address; PATHSCOPE_PRIVATE_WEBHOOKS=true") as refused:
        make(f"http://{host}:9/hook")
    assert [(one.field, one.value) for one in refused.value.errors] == [("url", f"http://{host}:9/hook")]


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("host", PRIVATE)
def test_an_address_that_is_not_public_is_never_reached(host, monkeypatch):
    made = make(f"http://{host}:9/hook")
    monkeypatch.delenv("PATHSCOPE_PRIVATE_WEBHOOKS")
    forget_settings()
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


@pytest.mark.usefixtures("database", "allowed")
def test_a_test_is_sent_as_any_other_message_and_a_list_shows_the_newest(receiver):
    run = make_run(count=1).id
    every, one = make(receiver), make(receiver, run)
    for made, about in ((every, None), (one, run)):
        with session_scope() as session:
            asked = webhooks.send_test(session, made.id)
        assert (asked.type, asked.run_id, asked.state) == ("webhook.test", about, "waiting")
        send_all()
        told = json.loads(Receiver.heard[-1][1])
        assert (told["type"], told["data"]) == ("webhook.test", {"webhook": made.id, "run": about})
    make_run(count=1)
    with session_scope() as session:
        listed = webhooks.list_webhooks(session)
    assert [(found.last.type, found.last.state) for found in listed] == [
        ("run.completed", "waiting"),
        ("webhook.test", "delivered"),
    ]


@pytest.mark.usefixtures("database")
def test_who_submits_has_the_webhooks_of_his_own_runs_and_a_reader_has_none():
    ada, ben = Actor(TokenScope.SUBMIT, "1", "ada"), Actor(TokenScope.SUBMIT, "2", "ben")
    without_token = make("https://example.org", make_run(count=1).id)
    make("https://example.org")
    with acting(ada):
        own = make("https://example.org", make_run(count=1).id)

    def listed(actor):
        with acting(actor), read_scope() as session:
            return [one.id for one in webhooks.list_webhooks(session)]

    assert listed(ada) == [own.id]
    assert listed(ben) == []
    assert listed(OPERATOR) == [1, 2, own.id]
    with pytest.raises(Forbidden, match="scope submit"):
        listed(Actor(TokenScope.READ, "3", "eve"))
    with acting(ada), session_scope() as session:
        assert webhooks.send_test(session, own.id).run_id == own.run
        with pytest.raises(Forbidden, match="submitted without a token"):
            webhooks.send_test(session, without_token.id)


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
        tested = client.post("/api/v1/webhooks/1/test")
        assert (tested.status_code, tested.json()["type"]) == (202, "webhook.test")
        assert client.post("/api/v1/webhooks/2/test").status_code == 404
        assert client.delete("/api/v1/webhooks/1").status_code == 204
        assert client.get("/api/v1/webhooks/1/deliveries").status_code == 404
