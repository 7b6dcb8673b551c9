"""The page of webhooks in a real browser: what it adds hears of a run's end, and what came back is shown."""

import re
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from backend.access import Actor, acting
from backend.db import session_scope
from backend.schemas import TokenScope
from backend.services import webhooks
from backend.services.webhooks import WebhookIn
from tests.made_runs import make_run
from tests.receivers import Receiver, allowed, receiver
from tests.servers import serving
from tests.test_browser import browser, page, screen, site
from tests.test_browser_access import make_token, sign_in

__all__ = ["allowed", "browser", "page", "receiver", "screen", "site"]


def wrong(screen: Page, field: str) -> Locator:
    """What is said to be wrong with the field."""
    return screen.locator(f".mantine-InputWrapper-root:has(#{field}) .mantine-InputWrapper-error")


@pytest.mark.usefixtures("database", "allowed")
def test_a_webhook_is_added_hears_of_a_run_is_tested_and_removed(site: str, screen: Page, receiver: str) -> None:
    screen.goto(f"{site}/workers")
    screen.locator("#workers-webhooks").click()
    expect(screen.locator("#webhooks-none")).to_be_visible()
    screen.locator("#webhook-url").fill(receiver)
    screen.locator("#webhook-add").click()
    expect(screen.locator("#webhook-secret-value")).to_have_text(re.compile("^whsec_"))
    expect(screen.locator("#webhook-url")).to_have_value("")
    item = screen.locator(".webhooks > li")
    expect(item).to_contain_text("tells of every run")
    expect(item).to_contain_text("nothing sent yet")
    run = make_run(count=1)
    expect(item.locator(".webhook-head")).to_contain_text("delivered")
    item.get_by_role("button", name="Recent deliveries").click()
    rows = item.locator("tbody tr")
    expect(rows).to_have_text(re.compile(f"^run.completed of run {run.id}delivered1just nowHTTP 204$"))
    Receiver.answers = [500, 503, 410]
    item.get_by_role("button", name="Send a test").click()
    expect(rows.first).to_have_text(re.compile("^webhook.testfailed3just nowthe receiver answered 410$"))
    expect(rows).to_have_count(2)
    screen.locator("#webhook-url").fill("https://half.typed")
    item.get_by_role("button", name="Remove").click()
    expect(screen.get_by_role("dialog")).to_contain_text(receiver)
    screen.locator("#webhooks-remove-yes").click()
    expect(screen.locator("#webhooks-none")).to_be_visible()
    expect(screen.locator("#webhook-url")).to_have_value("https://half.typed")
    assert httpx.get(f"{site}/api/v1/webhooks").json() == []


@pytest.mark.usefixtures("database")
def test_what_is_wrong_is_said_at_its_field_and_stays_typed(site: str, screen: Page) -> None:
    run = make_run(count=1)
    screen.goto(f"{site}/runs/{run.id}")
    screen.locator("#run-webhooks").click()
    url, number = screen.locator("#webhook-url"), screen.locator("#webhook-run")
    expect(number).to_have_value(str(run.id))
    for typed, said in (
        ("", "enter an address"),
        ("example.org", "it begins with http:// or https://"),
        ("http://10.0.0.1/hook", "10.0.0.1 is not a public address"),
        ("http://localhost/hook", "localhost is 127.0.0.1, which is not a public address"),
    ):
        url.fill(typed)
        url.press("Enter")
        expect(wrong(screen, "webhook-url")).to_contain_text(said)
        expect(url).to_have_value(typed)
        expect(url).to_be_focused()
    url.fill("https://example.org/hook")
    for typed, said in (("seven", "enter the number of a run, found 'seven'"), ("99", "there is no run 99")):
        number.fill(typed)
        number.press("Enter")
        expect(wrong(screen, "webhook-run")).to_have_text(said)
    expect(wrong(screen, "webhook-url")).to_have_count(0)
    assert (url.input_value(), number.input_value()) == ("https://example.org/hook", "99")
    number.fill(str(run.id))
    screen.locator("#webhook-add").click()
    expect(screen.locator(".webhooks > li")).to_contain_text(f"tells of run {run.id}")
    screen.locator("#webhooks-all").click()
    expect(screen.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    expect(screen.locator(".webhooks > li")).to_have_count(1)


def test_each_sees_the_webhooks_of_his_own_runs_and_a_reader_none(home: Path, page: Page) -> None:
    tokens = {name: make_token(TokenScope(scope), name) for name, scope in (("ada", "submit"), ("eve", "read"))}
    others = make_run(count=1).id
    with acting(Actor(TokenScope.SUBMIT, "1", "ada")):
        own = make_run(count=1).id
    with session_scope() as session:
        for run in (others, own, None):
            webhooks.create(session, WebhookIn(url=f"https://example.org/{run}", run=run))
    with serving(home) as url:
        page.goto(f"{url}/webhooks")
        sign_in(page, tokens["ada"])
        expect(page.locator(".webhook-url")).to_have_text([f"https://example.org/{own}"])
        page.locator("#webhook-url").fill("https://example.org/all")
        page.locator("#webhook-add").click()
        expect(wrong(page, "webhook-run")).to_contain_text("this needs a token with scope admin")
        page.goto(f"{url}/webhooks?run={others}")
        expect(page.locator("#notice-page")).to_contain_text("was submitted without a token")
        page.goto(f"{url}/runs/{others}")
        expect(page.locator("#run-name")).to_be_visible()
        expect(page.locator("#run-webhooks")).to_have_count(0)
        page.locator("#sign-out").click()
        sign_in(page, tokens["eve"])
        page.goto(f"{url}/webhooks")
        expect(page.locator("#notice-page")).to_contain_text("scope submit")
        page.goto(f"{url}/workers")
        expect(page.locator("#no-worker")).to_be_visible()
        expect(page.locator("#workers-webhooks")).to_be_hidden()
