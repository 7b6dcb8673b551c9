"""What the run page says besides figures, in a real browser: spec, name, tags, notes, and the way to the log."""

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from backend.db import session_scope
from backend.models import LogLine, Run
from backend.schemas import RunSpec, RunStatus
from backend.services import runs
from tests.made_runs import make_run
from tests.test_browser import browser, page, screen, site
from tests.test_browser_axe import check

__all__ = ["browser", "page", "screen", "site"]


def test_a_run_is_renamed_and_its_words_follow_an_extension(site: str, screen: Page) -> None:
    run = make_run(images=4, count=3, epochs=2, name="made")
    screen.goto(f"{site}/runs/{run.id}")
    expect(screen).to_have_title("made · run 1 · Pathscope")
    screen.locator("#run-spec-summary").click()
    expect(screen.locator("#run-fields")).to_contain_text("tests@here")
    screen.locator("#run-edit-name").fill("")
    screen.locator("#run-edit-save").click()
    expect(screen.locator(".run-edit")).to_contain_text("a name has 1 to 200 characters")
    screen.locator("#run-edit-name").fill("settles early")
    screen.locator("#run-edit-notes").fill("look at layer 2")
    screen.locator("#run-edit-save").click()
    expect(screen.locator("#run-name")).to_have_text("settles early")
    expect(screen).to_have_title("settles early · run 1 · Pathscope")
    expect(screen.locator("#run-description")).to_contain_text("look at layer 2")
    expect(screen.locator(".run-edit")).not_to_contain_text("a name has")
    httpx.post(f"{site}/api/v1/runs/{run.id}/extend", json={"epochs": 7})
    expect(screen.locator("#run-description")).to_contain_text("7 epochs")
    expect(screen.locator("#run-fields dd").get_by_text("7", exact=True)).to_be_visible()
    expect(screen.locator("#run-edit-name")).to_have_value("settles early")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 390)])
def test_the_specification_has_no_serious_finding(site: str, browser: Browser, scheme: str, width: int) -> None:
    make_run(images=4, count=3)
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{site}/runs/1")
    page.locator("#run-spec-summary").click()
    expect(page.locator("#run-json")).to_be_visible()
    check(page)
    context.close()


def test_a_failed_run_leads_to_its_log_which_opens(site: str, screen: Page) -> None:
    run = make_run(images=4, count=2)
    with session_scope() as session:
        session.execute(update(Run).values(status=RunStatus.FAILED, reason="the disk is full"))
        session.add(LogLine(run_id=run.id, number=1, text="the last words"))
    screen.goto(f"{site}/runs/{run.id}")
    log = screen.locator("#run-log-details")
    log.locator("summary").click()  # it is open, as the run has failed
    expect(screen.locator("#run-log")).to_be_hidden()
    screen.get_by_role("link", name="See the log of the trainer").click()
    expect(screen.locator("#run-log")).to_contain_text("the last words")
    expect(log).to_be_in_viewport()
    screen.goto(f"{site}/runs/{run.id}/images/0")
    screen.get_by_role("link", name="See the log of the trainer").click()
    screen.wait_for_url(f"{site}/runs/{run.id}#run-log-details")
    expect(screen.locator("#run-log")).to_contain_text("the last words")


def test_a_waiting_run_says_in_one_line_that_its_images_come(site: str, screen: Page) -> None:
    with session_scope() as session:
        runs.submit(session, RunSpec(net="mlp", dataset="digits"))
    screen.goto(f"{site}/runs/1")
    screen.locator("#gallery").scroll_into_view_if_needed()
    line = screen.locator(".gallery-empty")
    expect(line).to_have_text("They appear here as soon as the data is loaded.")
    assert line.bounding_box()["height"] < 40  # type: ignore[index]
