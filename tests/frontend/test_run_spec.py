"""What the run page tells of the spec, and how name, tags and notes are changed there."""

import pytest
from fastapi.testclient import TestClient

from backend import access
from backend.access import Actor
from backend.db import read_scope, session_scope
from backend.schemas import RunSpec, TokenScope
from backend.services import runs
from frontend import run_edits, spec_form
from frontend.app import create_app
from frontend.components import run_spec
from frontend.components.facts import standing
from tests.frontend.test_run_pages import text_of
from tests.made_runs import make_run


def read(run_id):
    with read_scope() as session:
        return runs.get_run(session, run_id)


def test_specification_tells_every_field_in_the_groups_of_the_form(home):
    made = make_run(optimiser={"lr": 0.05, "nesterov": False}, notes="look here")
    told = text_of(run_spec._fields(read(made.id), "cpu"))
    assert all(group.title in told for group in spec_form.groups())
    assert all(f'"title": "{field.path}"' in told for field in spec_form.fields())
    for value in ("0.05", "10, 15", "look here", "tests@here", "mlp on digits"):
        assert f'"children": "{value}"' in told


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("optimiser.nesterov", True, "yes"),
        ("quantities", ["path", "image_function"], "Paths, Image functions"),
        ("lr_schedule.kind", "one_cycle", "One cycle"),
        ("probe.indices", "", run_spec.NOTHING),
        ("label_smoothing", 0.0, "0"),
        ("net", "gone-since", "gone-since"),
    ],
)
def test_a_value_is_told_in_the_words_of_the_form(path, value, words):
    field = next(field for field in spec_form.fields() if field.path == path)
    assert run_spec.told(field, value) == words


def test_name_tags_and_notes_when_changed_are_written_and_pages_hear_of_it(home):
    made = make_run()
    before = standing(read(made.id))
    assert run_edits.edit(made.id, "new", ["a", "b"], "words") == {}
    run = read(made.id)
    assert (run.name, run.tags, run.notes) == ("new", ("a", "b"), "words")
    assert standing(run) != before


def test_standing_when_only_progress_changes_stays(home):
    run = read(make_run().id)
    assert standing(run.model_copy(update={"progress": None, "updated_at": run.created_at})) == standing(run)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ((" ", [], ""), "name", "a name has 1 to 200 characters"),
        (("x" * 201, [], ""), "name", "found 201 characters"),
        (("x", ["two words"], ""), "tags", "found 'two words'"),
        (("x", [f"t{n}" for n in range(21)], ""), "tags", "these are 21"),
        (("x", [], "x" * 20_001), "notes", "found 20,001 characters"),
    ],
)
def test_a_wrong_change_is_told_at_its_field_and_writes_nothing(home, change, field, says):
    made = make_run(name="kept")
    wrong = run_edits.edit(made.id, *change)
    assert list(wrong) == [field]
    assert says in wrong[field]
    assert read(made.id).name == "kept"


def test_the_form_when_the_actor_may_only_read_is_not_there(home):
    run = read(make_run().id)
    assert "run-edit-save" in text_of(run_spec._edit_form(run))
    with access.acting(Actor(TokenScope.READ, token="t", name="reader")):
        assert run_spec._edit_form(run) == []


def test_the_window_of_a_run_bears_its_name(home):
    with session_scope() as session:
        runs.submit(session, RunSpec(net="mlp", dataset="digits", name="a {name}"))
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        page = client.get("/_dash-layout", headers={"Referer": "http://127.0.0.1:8000/runs/1"})
        assert "a {name} · run 1 · Pathscope" in page.json()["props"]["children"][3]["props"]["data"]
