"""Every page can be read and used by everybody: axe finds nothing serious on any, light or dark, wide or narrow."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from backend.db import session_scope
from backend.schemas import TokenScope
from backend.services import sweeps, tokens, webhooks
from backend.services.webhooks import WebhookIn
from backend.sweeps import SweepSpec
from tests.conftest import forget_settings, migrate
from tests.made_runs import make_run
from tests.servers import serving
from tests.test_browser import browser

__all__ = ["browser"]

PAGES = {
    "/": "#runs-grid .ag-row",
    "/new": "#spec-submit",
    "/runs/1?layer=2&image=1&partner=2": "#training-figure .main-svg",
    "/runs/1/images/3?layer=2": "#film-strip img",
    "/runs/1/pairs/3/5": "#pair-cross-path-figure-5 .main-svg",
    "/compare?runs=1,2": "#compare-overlay .main-svg",
    "/paper?figure=7": "#paper-title",
    "/sweeps/1": "#sweep-filter",
    "/workers": "#no-worker",
    "/webhooks": ".webhooks > li",
    "/webhooks?run=2": "#webhooks-none",
    "/runs/77": "#notice-page",
}
"""Each page, with what is there once it is built."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with two runs of everything that can be recorded, a sweep that waits, and a webhook of nobody."""
    home = tmp_path_factory.mktemp("axe")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PATHSCOPE_") and "TEST" not in name]:
            patch.delenv(name)
        patch.setenv("PATHSCOPE_HOME", str(home))
        patch.setenv("PATHSCOPE_PRIVATE_WEBHOOKS", "true")
        forget_settings()
        migrate()
        for seed in (0, 1):
            quantities = ["path", "projection", "image_function"]
            make_run(images=8, count=4, epochs=4, seed=seed, quantities=quantities, tags=["made"], notes="made")
        with session_scope() as session:
            sweeps.submit(session, SweepSpec(name="Rates", base={"net": "mlp", "dataset": "digits"}, seeds=(0, 1)))
            webhooks.create(session, WebhookIn(url="http://127.0.0.1:9/hook"))
        with serving(home) as url:
            yield url
    forget_settings()


@pytest.fixture(params=[("light", 1400), ("dark", 390)], ids=["light and wide", "dark and narrow"])
def screen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    scheme, width = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_serious_finding_and_does_not_scroll_sideways(filled: str, screen: Page, path: str) -> None:
    screen.goto(filled + path)
    expect(screen.locator(PAGES[path]).first).to_be_visible()
    screen.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    screen.wait_for_load_state("networkidle")
    check(screen)


def test_dialogs_have_no_serious_finding(filled: str, screen: Page) -> None:
    screen.goto(f"{filled}/runs/1")
    for button in ("#extend-run", "#delete-run"):
        screen.locator(button).click()
        expect(screen.get_by_role("dialog")).to_be_visible()
        check(screen)
        screen.keyboard.press("Escape")
        expect(screen.get_by_role("dialog")).to_be_hidden()


def test_a_webhook_with_its_deliveries_has_no_serious_finding(filled: str, screen: Page) -> None:
    screen.goto(f"{filled}/webhooks")
    screen.locator("#webhook-url").fill("example.org")
    screen.locator("#webhook-add").click()
    expect(screen.locator("#webhook-form .mantine-InputWrapper-error")).to_be_visible()
    screen.get_by_role("button", name="Send a test").first.click()
    expect(screen.locator(".webhook-deliveries tbody tr").first).to_contain_text("ConnectError")
    check(screen)
    screen.locator("#webhook-url").fill("http://127.0.0.1:9/one")
    screen.locator("#webhook-run").fill("1")
    screen.locator("#webhook-add").click()
    expect(screen.locator("#webhook-secret-value")).to_be_visible()
    check(screen)
    screen.get_by_role("button", name="Remove").last.click()
    expect(screen.get_by_role("dialog")).to_be_visible()
    check(screen)


def test_signing_in_has_no_serious_finding(home: Path, screen: Page) -> None:
    with session_scope() as session:
        tokens.create(session, "reader", TokenScope.READ, None)
    with serving(home) as url:
        screen.goto(url)
        screen.get_by_label("Token").fill("ps_wrong")
        screen.get_by_role("button", name="Sign in").click()
        expect(screen.get_by_role("alert")).to_contain_text("unknown")
        check(screen)


def check(screen: Page) -> None:
    found = Axe().run(screen).response["violations"]
    said = [
        f"{one['id']}, {one['impact']}: {one['help']}; {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    assert said == []
    wide, shown = screen.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= shown
