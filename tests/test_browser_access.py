"""Signing in and out in a real browser, and what the pages let a reader and a smuggled script do."""

from pathlib import Path

import httpx2 as httpx
from playwright.sync_api import Page, expect

from backend.db import session_scope
from backend.schemas import TokenScope
from backend.services import tokens
from tests.made_runs import make_run
from tests.servers import serving
from tests.test_browser import browser, page

__all__ = ["browser", "page"]


def make_token(scope: TokenScope, name: str) -> str:
    with session_scope() as session:
        return tokens.create(session, name, scope, None)[1]


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_sign_in_look_around_and_be_signed_out_by_a_revocation(home: Path, page: Page) -> None:
    run = make_run()
    reader = make_token(TokenScope.READ, "reader")
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    with serving(home) as url:
        page.goto(f"{url}/runs/{run.id}?layer=2")
        sign_in(page, "ps_wrong")
        expect(page.get_by_role("alert")).to_have_text("This token is unknown, expired or revoked.")
        sign_in(page, reader)
        page.wait_for_url(f"{url}/runs/{run.id}?layer=2")
        expect(page.locator("#run-name")).to_be_visible()
        expect(page.locator("#gallery img")).to_have_count(run.images)
        expect(page.locator("#signed-in")).to_have_text("reader")
        expect(page.locator("#delete-run")).to_be_hidden()
        _check_cookie(page)
        for path in ("/", "/new", f"/runs/{run.id}/images/1", "/api/docs"):
            page.goto(url + path)
            page.wait_for_load_state("networkidle")
        assert refused == []
        _smuggle(page)
        page.goto(url)
        expect(page.locator(f".ag-center-cols-container .ag-row[row-id='{run.id}']")).to_be_visible()
        with session_scope() as session:
            tokens.revoke(session, "reader")
        page.wait_for_url(f"{url}/sign-in?next=%2F")  # by itself, as the page asks who works
        sign_in(page, make_token(TokenScope.ADMIN, "root"))
        expect(page.locator("#sign-out")).to_be_visible()
        page.locator("#sign-out").click()
        page.wait_for_url(f"{url}/sign-in")
        page.goto(url)
        assert page.url.startswith(f"{url}/sign-in")
        assert httpx.get(f"{url}/_dash-layout").status_code == 401


def _check_cookie(page: Page) -> None:
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("pathscope_session", True, "Lax")
    assert page.evaluate("document.cookie") == ""


def _smuggle(page: Page) -> None:
    """A script in the page's text and one of another site: neither may run."""
    ran = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.smuggled = true";
            document.body.append(script);
            return Boolean(window.smuggled);
        }"""
    )
    assert ran is False
