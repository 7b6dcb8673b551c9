"""The pages of a run and of an image are laid out for every state, and what does not exist is refused."""

import json

import pytest
from plotly.utils import PlotlyJSONEncoder

from backend.db import session_scope
from backend.errors import NotFound
from backend.schemas import RunSpec
from backend.services import runs
from frontend.components.facts import read_facts, read_news, version_of
from frontend.pages import image, run
from frontend.pages.image_figures import followed_data
from tests.made_runs import make_run


def text_of(component):
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def submit():
    with session_scope() as session:
        return runs.submit(session, RunSpec(net="mlp", dataset="digits"))[0]


def test_run_page_when_finished_knows_every_probe_image(home):
    made = make_run()
    page = text_of(run.layout(str(made.id)))
    assert all(f'"#{i} · ' in page for i in range(made.images))


def test_run_page_when_queued_without_a_worker_says_how_to_start_one(home):
    page = text_of(run.layout(str(submit().id)))
    assert "No worker is running" in page
    assert "pathscope worker" in page


def test_image_page_when_the_run_waits_is_there_for_any_image_that_may_come(home):
    waiting = submit()
    assert "known once the data is loaded" in text_of(image.layout(str(waiting.id), "255"))
    with pytest.raises(NotFound):
        image.layout(str(waiting.id), "256")


def test_image_page_when_the_address_selects_shows_it(home):
    made = make_run()
    page = text_of(image.layout(str(made.id), "3", layer="2", t="1", sort="value", quantity="activation"))
    assert '"id": "layer"' in page
    assert "class class 0 (label 0) · training image 30" in page


@pytest.mark.parametrize(("run_id", "number"), [("1", "8"), ("1", "x"), ("99", "0"), ("²", "0"), ("1", "-1")])
def test_image_page_when_there_is_no_such_image_or_run_is_refused(home, run_id, number):
    make_run()
    with pytest.raises(NotFound):
        image.layout(run_id, number)


def test_news_when_nothing_is_new_holds_no_facts(home):
    made = make_run()
    found, _, facts = read_news(made.id, [])
    assert facts == read_facts(made.id)
    assert read_news(made.id, version_of(found))[2] is None
    assert facts is not None
    assert facts["epochs"] == [0.0, 1.0, 2.0, 3.0]


def test_followed_data_when_sent_holds_everyone_who_was_ever_near(home):
    from backend.db import read_scope
    from backend.schemas import Quantity
    from backend.services import statistics

    made = make_run()
    with read_scope() as session:
        data = statistics.neighbours_of_image(session, made.id, Quantity.PATH, 1, 0, count=2)
    sent = followed_data(data)
    assert {int(one) for one in sent["ranks"]} == {one for row in sent["nearest"] for one in row}
    assert all(len(ranks) == made.recordings for ranks in sent["ranks"].values())
    json.dumps(sent)
