"""Attempts to get in without the right to: every rule of `backend.api.access` and `backend.api.origin`, broken."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Timer

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from backend.access import OPERATOR, Actor, acting
from backend.api.access import needed_scope
from backend.api.app import create_app
from backend.db import session_scope
from backend.errors import Forbidden
from backend.models import Token, now
from backend.schemas import TokenScope
from backend.services import tokens
from tests.conftest import forget_settings
from tests.made_runs import make_run

SPEC = {"net": "mlp", "dataset": "digits"}
ADMIN_TOKEN = "0123456789abcdef" * 4

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), base_url="http://localhost:8000") as client:
        yield client


def make_token(scope: TokenScope = TokenScope.ADMIN, name: str = "ada", hours: float | None = None) -> str:
    with session_scope() as session:
        return tokens.create(session, name, scope, now() + timedelta(hours=hours) if hours is not None else None)[1]


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "0.0.0.0:8000", "localhost:8000/healthz?"],
)
def test_a_site_that_rebinds_its_name_to_ours_is_misdirected(client: TestClient, host: str) -> None:
    for path in ("/api/v1/runs", "/healthz", "/api/docs", "/api/static/swagger-ui.css"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:9", "[::1]:8000", "LOCALHOST"])
def test_our_own_names_are_let_in(client: TestClient, host: str) -> None:
    assert client.get("/api/v1/runs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8000.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_post_that_another_site_sends_is_forbidden(client: TestClient, headers: dict) -> None:
    assert client.post("/api/v1/runs", json=SPEC, headers=headers).status_code == 403
    assert client.get("/api/v1/runs").json()["runs"] == []


def test_our_own_pages_and_programs_may_post(client: TestClient) -> None:
    assert client.post("/api/v1/runs", json=SPEC, headers={"Origin": "http://localhost:8000"}).status_code == 201
    assert client.post("/api/v1/runs", json=SPEC).status_code == 201


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_a_socket_that_another_site_opens_is_refused(client: TestClient, headers: dict) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/api/v1/live", headers=headers):
        pass
    assert refused.value.code == 1008


def test_a_public_address_is_ours_and_wants_a_token(home, monkeypatch) -> None:
    monkeypatch.setenv("PATHSCOPE_PUBLIC_URL", "https://paths.example.org, http://api:8000")
    forget_settings()
    token = make_token()
    with TestClient(create_app(), base_url="https://paths.example.org") as client:
        assert client.get("/api/v1/runs").status_code == 401
        allowed = bearing(token) | {"Origin": "https://paths.example.org"}
        assert client.post("/api/v1/runs", json=SPEC, headers=allowed).status_code == 201
        answer = client.get("/healthz", headers={"Host": "api:8000"})
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("server", [("10.0.0.7", 8000), ("::ffff:10.0.0.7", 8000)])
def test_an_open_server_lets_nobody_in_from_the_network(home, server) -> None:
    app = create_app()

    async def from_the_network(scope, receive, send) -> None:
        await app(scope | {"server": server} if scope["type"] == "http" else scope, receive, send)

    with TestClient(from_the_network, base_url="http://localhost") as client:
        assert client.get("/api/v1/runs").status_code == 401
        assert client.get("/healthz").status_code == 200


def test_everybody_is_let_in_where_the_operator_says_so(home, monkeypatch, client) -> None:
    make_token()
    assert client.get("/api/v1/runs").status_code == 401
    monkeypatch.setenv("PATHSCOPE_AUTH", "none")
    forget_settings()
    assert client.get("/api/v1/runs").status_code == 200


@pytest.mark.parametrize("variable", ["PATHSCOPE_AUTH", "PATHSCOPE_ADMIN_TOKEN", "PATHSCOPE_ADMIN_TOKEN_FILE"])
def test_a_server_that_is_told_to_want_tokens_does(home, monkeypatch, client, variable) -> None:
    file = home / "admin-token"
    file.write_text(ADMIN_TOKEN + "\n")
    values = {"PATHSCOPE_AUTH": "tokens", "PATHSCOPE_ADMIN_TOKEN": ADMIN_TOKEN}
    monkeypatch.setenv(variable, values.get(variable, str(file)))
    forget_settings()
    assert client.get("/api/v1/runs").status_code == 401
    expected = 401 if variable == "PATHSCOPE_AUTH" else 201
    answer = client.post("/api/v1/runs", json=SPEC, headers=bearing(ADMIN_TOKEN))
    assert answer.status_code == expected
    assert expected == 401 or answer.json()["submitted_by"] == "administrator"


def test_a_short_token_in_the_environment_is_refused(home, monkeypatch) -> None:
    monkeypatch.setenv("PATHSCOPE_ADMIN_TOKEN", "secret")
    forget_settings()
    with pytest.raises(ValueError, match="at least 32"):
        create_app()


@pytest.mark.usefixtures("database")
def test_without_a_token_every_route_but_health_answers_401(client: TestClient) -> None:
    make_token(TokenScope.READ)
    paths = client.app.openapi()["paths"]
    asked = [(method.upper(), path.replace("{run_id}", "1")) for path, methods in paths.items() for method in methods]
    asked += [("GET", "/api/docs"), ("GET", "/api/openapi.json"), ("POST", "/api/v1/nope"), ("GET", "/api/v1/nope")]
    assert len(asked) > 20
    answers = {call: client.request(*call).status_code for call in asked}
    assert {call for call, status in answers.items() if status != 401} == {("GET", "/healthz"), ("GET", "/readyz")}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer ps_unknown"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YWRhOmFkYQ=="},
        {"Cookie": "pathscope_session=eyJ0b2tlbiI6ICJhZGEifQ==.forged.signature"},
    ],
)
def test_what_is_no_token_is_unauthorised(client: TestClient, headers: dict) -> None:
    make_token()
    answer = client.get("/api/v1/runs", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_id_and_the_hash_of_a_token_let_nobody_in(client: TestClient) -> None:
    make_token()
    with session_scope() as session:
        token = session.query(Token).one()
    for value in (token.id, token.hash, token.name):
        assert client.get("/api/v1/runs", headers=bearing(value)).status_code == 401


def test_only_the_hash_of_a_token_is_stored(home) -> None:
    value = make_token()
    stored = b"".join(file.read_bytes() for file in home.iterdir() if file.is_file())
    assert b"ada" in stored
    assert value.removeprefix(tokens.PREFIX).encode() not in stored


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [
        (TokenScope.READ, {"read": 200, "submit": 403, "own": 403, "other": 403}),
        (TokenScope.SUBMIT, {"read": 200, "submit": 201, "own": 200, "other": 403}),
        (TokenScope.ADMIN, {"read": 200, "submit": 201, "own": 200, "other": 200}),
    ],
)
@pytest.mark.usefixtures("database")
def test_a_scope_allows_what_it_says_and_no_more(client: TestClient, scope: TokenScope, statuses: dict) -> None:
    ada, other = bearing(make_token(scope)), bearing(make_token(TokenScope.SUBMIT, "bob"))
    theirs = client.post("/api/v1/runs", json=SPEC, headers=other).json()["id"]
    assert client.get(f"/api/v1/runs/{theirs}", headers=ada).status_code == statuses["read"]
    answer = client.post("/api/v1/runs", json=SPEC, headers=ada)
    assert answer.status_code == statuses["submit"]
    own = answer.json().get("id", theirs)
    assert client.post(f"/api/v1/runs/{own}/cancel", headers=ada).status_code == statuses["own"]
    assert client.post(f"/api/v1/runs/{theirs}/cancel", headers=ada).status_code == statuses["other"]


def test_a_run_of_somebody_else_or_of_nobody_is_deleted_by_an_admin_alone(client: TestClient) -> None:
    run = make_run()
    submitter, admin = bearing(make_token(TokenScope.SUBMIT)), bearing(make_token(TokenScope.ADMIN, "root"))
    answer = client.delete(f"/api/v1/runs/{run.id}", headers=submitter)
    assert (answer.status_code, "without a token" in answer.json()["detail"]) == (403, True)
    assert client.delete(f"/api/v1/runs/{run.id}", headers=admin).status_code == 204


def test_a_run_bears_the_name_of_the_token_that_submitted_it(client: TestClient) -> None:
    token = make_token(name="grace")
    run = client.post("/api/v1/runs", json=SPEC, headers=bearing(token)).json()
    assert run["submitted_by"] == "grace"


@pytest.mark.parametrize("ended", ["revoked", "expired"])
def test_a_token_that_has_ended_lets_nobody_in_and_the_server_stays_closed(client: TestClient, ended: str) -> None:
    token = make_token(hours=-1 if ended == "expired" else None)
    if ended == "revoked":
        assert client.get("/api/v1/runs", headers=bearing(token)).status_code == 200
        with session_scope() as session:
            tokens.revoke(session, "ada")
    assert client.get("/api/v1/runs", headers=bearing(token)).status_code == 401
    assert client.get("/api/v1/runs").status_code == 401


def test_the_use_of_a_token_is_noted(client: TestClient) -> None:
    token = make_token(TokenScope.READ)
    client.get("/api/v1/runs", headers=bearing(token))
    with session_scope() as session:
        used = tokens.list_tokens(session)[0].last_used_at
    assert used is not None
    assert now() - used < timedelta(seconds=30)


def test_a_reader_cannot_open_a_transaction_that_writes_whatever_the_route_forgot() -> None:
    with acting(Actor(TokenScope.READ, "id", "ada")), pytest.raises(Forbidden), session_scope():
        pass
    with acting(OPERATOR), session_scope():
        pass


def test_a_new_route_needs_submit_unless_it_only_reads() -> None:
    assert needed_scope("GET", "/api/v1/anything") is TokenScope.READ
    assert {needed_scope(m, "/api/v1/anything") for m in ("POST", "PUT", "PATCH", "DELETE", "TRACE")} == {
        TokenScope.SUBMIT
    }


def test_a_socket_wants_a_token(client: TestClient) -> None:
    token = make_token(TokenScope.READ)
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/api/v1/live"):
        pass
    assert refused.value.code == 1008
    with client.websocket_connect("/api/v1/live", headers=bearing(token)) as socket:
        assert socket.receive_json() == {"runs": []}


def test_a_socket_ends_with_its_token(client: TestClient, monkeypatch) -> None:
    monkeypatch.setattr("backend.api.access.CHECKED_EVERY_SECONDS", 0.0)
    token = bearing(make_token())
    with client.websocket_connect("/api/v1/live", headers=token) as socket:
        assert socket.receive_json() == {"runs": []}
        with session_scope() as session:
            tokens.revoke(session, "ada")
        client.post("/api/v1/runs", json=SPEC, headers=bearing(make_token(name="bob")))
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
        assert ended.value.code == 1008


def test_a_stream_ends_with_its_token(client: TestClient, monkeypatch) -> None:
    monkeypatch.setattr("backend.api.access.CHECKED_EVERY_SECONDS", 0.0)
    token = bearing(make_token())
    run_id = client.post("/api/v1/runs", json=SPEC, headers=token).json()["id"]
    revoked = Timer(0.5, lambda: _revoke("ada"))
    revoked.start()
    monkeypatch.setattr("backend.api.routes.events.KEEPALIVE_SECONDS", 0.1)
    told = client.get(f"/api/v1/runs/{run_id}/events", headers=token)  # returns once the stream has ended
    revoked.join()
    assert told.status_code == 200
    assert "queued" in told.text


def _revoke(name: str) -> None:
    with session_scope() as session:
        tokens.revoke(session, name)


@pytest.mark.parametrize(
    ("variable", "most", "change", "field"),
    [
        ("PATHSCOPE_MAX_EPOCHS", "5", {"epochs": 6}, "epochs"),
        ("PATHSCOPE_MAX_PROBE_IMAGES", "10", {"probe": {"count": 11}}, "probe.count"),
        ("PATHSCOPE_MAX_PROBE_IMAGES", "2", {"probe": {"indices": [1, 2, 3]}}, "probe.count"),
        ("PATHSCOPE_MAX_RUN_BYTES", "1000", {}, "recordings"),
    ],
)
def test_a_run_beyond_the_operators_limit_is_refused(client, monkeypatch, variable, most, change, field) -> None:
    monkeypatch.setenv(variable, most)
    forget_settings()
    answer = client.post("/api/v1/runs", json=SPEC | change)
    assert answer.status_code == 422
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert f"at most {int(most):,}" in errors[field]["message"]
    assert errors[field]["value"] > int(most)


def test_too_many_runs_that_wait_conflict_for_each_token_alone(client, monkeypatch) -> None:
    monkeypatch.setenv("PATHSCOPE_MAX_QUEUED_RUNS", "2")
    forget_settings()
    ada, bob = (bearing(make_token(TokenScope.SUBMIT, name)) for name in ("ada", "bob"))
    statuses = [client.post("/api/v1/runs", json=SPEC, headers=ada).status_code for _ in range(3)]
    assert statuses == [201, 201, 409]
    assert client.post("/api/v1/runs", json=SPEC, headers=bob).status_code == 201


@pytest.mark.parametrize("broker", ["files", "redis"])
def test_too_many_submissions_are_told_when_to_come_back(client, monkeypatch, request, broker) -> None:
    if broker == "redis":
        request.getfixturevalue("redis")
    monkeypatch.setenv("PATHSCOPE_SUBMIT_LIMIT", "2/minute")
    forget_settings()
    ada, bob = (bearing(make_token(TokenScope.SUBMIT, name)) for name in ("ada", "bob"))
    answers = [client.post("/api/v1/runs", json=SPEC, headers=ada) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 61
    assert client.post("/api/v1/runs", json=SPEC, headers=bob).status_code == 201


def test_a_redis_that_is_away_does_not_stop_the_counting(client, monkeypatch) -> None:
    monkeypatch.setenv("PATHSCOPE_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("PATHSCOPE_SUBMIT_LIMIT", "1/minute")
    forget_settings()
    assert [client.post("/api/v1/runs", json=SPEC).status_code for _ in range(2)] == [201, 429]


def test_a_database_that_is_away_lets_nobody_in_but_the_process_lives(client, monkeypatch) -> None:
    monkeypatch.setenv("PATHSCOPE_DATABASE_URL", "postgresql+psycopg://root@127.0.0.1:1/none")
    forget_settings()
    assert client.get("/api/v1/runs").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_every_answer_bears_the_security_headers(client: TestClient) -> None:
    make_token()
    for path, status in (("/healthz", 200), ("/api/v1/runs", 401), ("/api/v1/nope", 401)):
        answer = client.get(path)
        assert answer.status_code == status
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self' 'sha256-" in policy
        assert "unsafe-inline" not in policy.split("style-src")[0]
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers


def test_an_answer_to_a_bug_bears_them_too(home) -> None:
    app = create_app(mount=lambda api: api.add_api_route("/bug", lambda: 1 / 0))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/bug")
    assert answer.status_code == 500
    assert "script-src 'self'" in answer.headers["content-security-policy"]
