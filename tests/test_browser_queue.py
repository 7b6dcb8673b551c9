"""The queue of the workers page in a real browser: runs are cancelled there, and given other priorities."""

import httpx2 as httpx
from playwright.sync_api import Page, expect

from backend.db import session_scope
from backend.schemas import RunSpec
from backend.services import runs
from tests.servers import eventually
from tests.test_browser import browser, page, screen, site
from tests.test_browser_axe import check

__all__ = ["browser", "page", "screen", "site"]


def test_a_waiting_run_is_given_another_priority_and_cancelled(site: str, screen: Page) -> None:
    for name in ("one", "two"):
        with session_scope() as session:
            runs.submit(session, RunSpec(net="mlp", dataset="digits", name=name))
    screen.goto(f"{site}/workers")
    rows = screen.locator("#queue-table tbody tr")
    expect(rows.nth(0)).to_contain_text("one")
    screen.locator("#queue-2-high").click()
    expect(rows.nth(0)).to_contain_text("two")
    expect(screen.locator("#queue-2-high")).to_have_attribute("aria-pressed", "true")
    assert httpx.get(f"{site}/api/v1/runs/2").json()["spec"]["priority"] == "high"
    check(screen)
    screen.get_by_role("button", name="Cancel one").click()
    expect(rows).to_have_count(1)
    eventually(lambda: httpx.get(f"{site}/api/v1/runs/1").json()["status"] == "cancelled", "the end of run 1")
