"""Runs are found by the filter language, sorted by any field and paged without loss, on both databases."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend.api.app import create_app
from backend.db import session_scope
from backend.errors import InvalidInput, NotFound
from backend.models import Run
from backend.run_filter import Condition, parse
from backend.schemas import RunEdit, RunSpec
from backend.services import run_edits, run_list, runs
from tests.made_runs import make_run


def submit(**spec):
    with session_scope() as session:
        return runs.submit(session, RunSpec.model_validate({"net": "mlp", "dataset": "digits"} | spec))[0].id


def found(text, **options):
    with session_scope() as session:
        return [run.id for run in run_list.list_runs(session, filter=text, **options).runs]


@pytest.fixture
def five(database):
    """Runs 1 to 4 wait, run 5 has ended; sorted by epochs they are 4 2 1 3 5."""
    ids = [
        submit(name="Foo one", epochs=20, seed=1, tags=["paper"], notes="look at layer 3"),
        submit(net="alexnet", epochs=10, optimiser={"lr": 0.1}),
        submit(name="50%_foo", epochs=50, tags=["paper", "late"], optimiser={"lr": 0.05, "nesterov": False}),
        submit(net="alexnet", name="bar", epochs=5, probe={"count": 64}),
        make_run(count=2, epochs=60, name="made").id,
    ]
    assert ids == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("net=alexnet", [4, 2]),
        ("net!=alexnet", [5, 3, 1]),
        ("net=alexnet,mlp epochs>=20", [5, 3, 1]),
        ("tag:paper", [3, 1]),
        ("tag!=paper", [5, 4, 2]),
        ("tag=late tag=paper", [3]),
        ("tag~ap", [3, 1]),
        ("name~foo", [3, 1]),
        ("name~50%_", [3]),
        ("name~%f", []),
        ('name="Foo one"', [1]),
        ("name!~FOO", [5, 4, 2]),
        ("lr=0.1", [2]),
        ("optimiser.lr<0.1", [5, 4, 3, 1]),
        ("nesterov=false", [3]),
        ("images=64", [4]),
        ("notes~layer", [1]),
        ("status=completed,failed", [5]),
        ("status=queued seed=1", [1]),
        ("recordings>=1", [5]),
        ("test_accuracy>5%", [5]),
        ("test_accuracy!=0.5", [5, 4, 3, 2, 1]),
        ("worker=tests@here", [5]),
        ("created>2020-01-01 created<2099-01-01T00:00:00Z", [5, 4, 3, 2, 1]),
        ("finished>2020-01-01", [5]),
        ("paper", [3, 1]),
        ("alex", [4, 2]),
        ("id=2,4", [4, 2]),
        ('"or"', []),
        ('name~"="', []),
        ("name~foo(1)", []),
    ],
)
@pytest.mark.usefixtures("five")
def test_filter_finds_exactly_the_runs_that_fit(text, ids):
    assert found(text) == ids


@pytest.mark.usefixtures("five")
def test_pages_when_walked_forth_and_back_hold_each_run_once_in_order():
    for sort in ("epochs", "-epochs", "test_accuracy", "-finished", "name", "-lr", "status", "created", "notes"):
        with session_scope() as session:
            whole = [run.id for run in run_list.list_runs(session, sort=sort).runs]
            assert sorted(whole) == [1, 2, 3, 4, 5]
            page = run_list.list_runs(session, sort=sort, limit=2)
            walked = [run.id for run in page.runs]
            assert (page.matching, page.previous_cursor) == (5, None)
            while page.next_cursor:
                page = run_list.list_runs(session, sort=sort, limit=2, cursor=page.next_cursor)
                walked += [run.id for run in page.runs]
            assert walked == whole, sort
            before = run_list.list_runs(session, sort=sort, limit=2, cursor=page.previous_cursor)
            assert [run.id for run in before.runs] == whole[2:4]
    assert found("", sort="epochs") == [4, 2, 1, 3, 5]


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("nett=3", 1, "did you mean net?"),
        ("net=a epochs>=ten", 15, "'ten' is no number"),
        ("status=done", 8, "queued, running"),
        ("net>3", 4, "use one of = != ~ !~"),
        ("name~", 6, "a value is missing"),
        ('name~"foo', 6, "not closed"),
        ("epochs>1,2", 1, "several values"),
        ("net = mlp", 5, "write field=value"),
        ('net="a"b', 8, "a space is missing"),
        ("created>yesterday", 9, "2026-11-01"),
        ("epochs>nan", 8, "no number"),
        ("net==", 5, "'=' follows another operator; write one, such as net=value"),
        ("seed=1 net==mlp", 12, "write one"),
        ("net=mlp,=alexnet", 9, "write one"),
        ("(net=mlp", 1, "there are no brackets"),
        ("net=mlp seed=1)", 15, "there are no brackets"),
        ("(mlp)", 1, 'put it in quotes: "(mlp)"'),
        ("net=mlp OR net=alexnet", 9, "within one a comma means it: net=mlp,alexnet"),
        ("net=mlp and seed=1", 9, "leave this out"),
        ("NOT net=mlp", 1, "write != or !~"),
        ("seed=1 || seed=2", 8, "a comma means it"),
        ("3=seed", 1, "a field begins with a letter"),
    ],
)
def test_filter_when_wrong_names_the_position_and_what_would_be_right(text, position, says):
    with pytest.raises(InvalidInput, match=f"at position {position}: ") as refused:
        parse(text)
    assert says in refused.value.detail


def test_filter_when_parsed_keeps_quotes_and_commas_apart():
    assert parse('name="a, b",c tag:x') == [Condition("name", "=", ("a, b", "c")), Condition("tag", "=", ("x",))]


@pytest.mark.usefixtures("home")
def test_rest_lists_filters_and_refuses():
    submit(epochs=3)
    submit(epochs=4)
    with TestClient(create_app()) as client:
        page = client.get("/api/v1/runs", params={"filter": "epochs>3", "sort": "-epochs"}).json()
        assert ([run["id"] for run in page["runs"]], page["matching"]) == ([2], 1)
        refused = client.get("/api/v1/runs", params={"filter": "epoch>=x"})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"].endswith("filter")
        assert client.get("/api/v1/runs", params={"sort": "tag"}).status_code == 422
        assert client.get("/api/v1/runs", params={"cursor": "nonsense"}).status_code == 422


@pytest.mark.usefixtures("database")
def test_edit_changes_notes_name_and_tags_and_leaves_the_spec():
    submit(notes="first", tags=["a"])
    with TestClient(create_app()) as client:
        changed = client.patch("/api/v1/runs/1", json={"notes": "second", "tags": ["b", "c", "b"]}).json()
        assert (changed["notes"], changed["tags"], changed["name"]) == ("second", ["b", "c"], "mlp on digits")
        assert (changed["spec"]["notes"], changed["spec"]["tags"]) == ("first", ["a"])
        assert client.patch("/api/v1/runs/1", json={"name": " "}).status_code == 422
        assert client.patch("/api/v1/runs/7", json={"notes": ""}).status_code == 404
    assert found("notes~second tag:b") == [1]


@pytest.mark.usefixtures("database")
def test_retag_adds_and_removes_and_refuses_too_many():
    ids = [submit(tags=["a"]), submit()]
    with session_scope() as session:
        run_edits.retag(session, ids, add=["x", "a"], remove=["a"])
    assert found("tag:x") == [2, 1]
    assert found("tag:a") == []
    with session_scope() as session, pytest.raises(InvalidInput, match="at most 20"):
        run_edits.retag(session, ids, add=[f"t{n}" for n in range(20)])
    with session_scope() as session, pytest.raises(NotFound):
        run_edits.retag(session, [9], add=["x"])


@pytest.mark.usefixtures("home")
def test_an_edit_moves_the_time_of_change_so_that_pages_hear_of_it():
    submit()
    with session_scope() as session:
        session.execute(update(Run).values(updated_at=Run.created_at))
        before = runs.get_run(session, 1).updated_at
        assert run_edits.edit(session, 1, RunEdit(notes="x")).updated_at > before
    assert json.dumps(found("notes~x")) == "[1]"
