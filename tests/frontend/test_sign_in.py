"""The sign-in page and its session: what a browser, and what another site through a browser, can do with them."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from backend.db import session_scope
from backend.models import Token, now
from backend.schemas import TokenScope
from backend.services import tokens
from frontend.app import create_app
from tests.conftest import forget_settings

pytestmark = pytest.mark.usefixtures("home")
SITE = "http://localhost:8000"
SPEC = {"net": "mlp", "dataset": "digits"}
PAGE = {"Accept": "text/html"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), base_url=SITE, follow_redirects=False) as client:
        yield client


def make_token(scope: TokenScope = TokenScope.SUBMIT) -> str:
    with session_scope() as session:
        return tokens.create(session, "ada", scope, None)[1]


def sign_in(client: TestClient, token: str, after: str = "/"):
    return client.post("/sign-in", data={"token": token, "next": after}, headers={"Origin": SITE})


def test_a_browser_is_led_to_sign_in_and_back(client: TestClient) -> None:
    token = make_token()
    answer = client.get("/runs/7?layer=2", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/runs/7%3Flayer%3D2")
    assert 'value="/runs/7?layer=2"' in client.get(answer.headers["location"], headers=PAGE).text
    answer = sign_in(client, token, "/runs/7?layer=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/7?layer=2")
    assert client.get("/_dash-layout").status_code == 200


def test_without_a_session_no_part_of_the_dashboard_but_its_scripts_is_served(client: TestClient) -> None:
    make_token()
    for path in ("/_dash-layout", "/_dash-dependencies", "/", "/runs/1", "/api/docs"):
        assert client.get(path).status_code == 401, path
    assert client.post("/_dash-update-component", json={}).status_code == 401
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', client.get("/sign-in").text):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("token", ["", "ps_wrong", "x" * 5000, "a&b=ç\0"])
def test_a_wrong_token_is_said_on_the_page(client: TestClient, token: str) -> None:
    make_token()
    answer = sign_in(client, token)
    assert answer.status_code == 401
    assert "This token is unknown, expired or revoked." in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:1", "evil"]
)
def test_signing_in_leads_to_no_other_site(client: TestClient, address: str) -> None:
    assert sign_in(client, make_token(), address).headers["location"] == "/"


def test_what_the_address_holds_is_not_run_on_the_page(client: TestClient) -> None:
    page = client.get("/sign-in", params={"next": '/"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page


def test_the_cookie_is_out_of_reach_of_scripts_and_holds_no_token(client: TestClient) -> None:
    token = make_token()
    cookie = sign_in(client, token).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert token.lower() not in cookie


def test_the_cookie_of_an_encrypted_site_travels_encrypted_only(home, monkeypatch) -> None:
    monkeypatch.setenv("PATHSCOPE_PUBLIC_URL", "https://paths.example.org")
    forget_settings()
    token = make_token()
    with TestClient(create_app(), base_url="https://paths.example.org", follow_redirects=False) as client:
        data = {"token": token}
        answer = client.post("/sign-in", data=data, headers={"Origin": "https://paths.example.org"})
    assert "; secure" in answer.headers["set-cookie"].lower()


def test_the_key_of_sessions_is_made_once_and_for_its_owner_alone(client, home) -> None:
    file = home / "session-secret"
    first = file.read_text()
    create_app()
    assert file.read_text() == first
    assert len(first) == 64
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_session_signed_with_another_key_is_none(client, home, monkeypatch) -> None:
    sign_in(client, make_token())
    monkeypatch.setenv("PATHSCOPE_SESSION_SECRET", "another" * 8)
    forget_settings()
    with TestClient(create_app(), base_url=SITE, cookies=client.cookies) as other:
        assert other.get("/api/v1/runs").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {}],
    ids=["other site", "hidden", "cross-site", "no sender"],
)
def test_another_site_cannot_use_the_session(client: TestClient, headers: dict) -> None:
    sign_in(client, make_token())
    assert client.post("/api/v1/runs", json=SPEC, headers=headers).status_code == 403
    assert client.post("/_dash-update-component", json={}, headers=headers).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://localhost:8000/api/v1/live", headers=headers),
    ):
        pass
    assert client.post("/api/v1/runs", json=SPEC, headers={"Origin": SITE}).status_code == 201


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_a_session_ends_with_its_token(client: TestClient, ended: str) -> None:
    sign_in(client, make_token())
    assert client.get("/api/v1/runs").status_code == 200
    with session_scope() as session:
        setattr(session.query(Token).one(), ended, now() - timedelta(seconds=1))
    assert client.get("/api/v1/runs").status_code == 401
    assert client.get("/", headers=PAGE).headers["location"].startswith("/sign-in")


def test_sign_out_ends_the_session_of_this_browser(client: TestClient) -> None:
    sign_in(client, make_token())
    assert client.post("/sign-out", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get("/api/v1/runs").status_code == 200
    assert client.post("/sign-out", headers={"Origin": SITE}).headers["location"] == "/sign-in"
    assert client.get("/api/v1/runs").status_code == 401


def test_guessing_is_slowed_down_even_with_the_right_token(client, monkeypatch) -> None:
    monkeypatch.setenv("PATHSCOPE_SIGN_IN_LIMIT", "3/minute")
    forget_settings()
    token = make_token()
    assert [sign_in(client, "ps_guess").status_code for _ in range(3)] == [401] * 3
    answer = sign_in(client, token)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert "Too many attempts to sign in" in answer.text


def test_a_callback_of_a_reader_changes_nothing_and_says_why(client: TestClient) -> None:
    token = make_token(TokenScope.READ)
    with session_scope() as session:
        bob = tokens.create(session, "bob", TokenScope.SUBMIT, None)[1]
    run = client.post("/api/v1/runs", json=SPEC, headers={"Authorization": f"Bearer {bob}"}).json()
    sign_in(client, token)
    answer = client.post("/_dash-update-component", json=_cancel(client, run["id"]), headers={"Origin": SITE})
    assert "this needs a token with scope submit; yours has scope read" in answer.text
    assert client.get(f"/api/v1/runs/{run['id']}").json()["status"] == "queued"


def _cancel(client: TestClient, run_id: int) -> dict:
    """What the browser sends when the button that cancels the run is pressed."""
    known = client.get("/_dash-dependencies").json()
    callback = next(one for one in known if any(given["id"] == "cancel-run" for given in one["inputs"]))
    given = {"cancel-run": 1, "place": {"run": run_id, "image": None}}
    return {
        "output": callback["output"],
        "outputs": {"id": "run-tick", "property": callback["output"].rpartition(".")[2]},
        "inputs": [one | {"value": given.get(one["id"])} for one in callback["inputs"]],
        "state": [one | {"value": given.get(one["id"])} for one in callback["state"]],
        "changedPropIds": ["cancel-run.n_clicks"],
    }
