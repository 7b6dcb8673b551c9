"""Several runs side by side: Fig. 7 by hand, courses from summaries, what their specs differ in; over REST too."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app
from backend.db import read_scope, session_scope
from backend.errors import NotFound
from backend.regression import line_through
from backend.schemas import Measure, Quantity, RunSpec
from backend.services import compare, runs
from tests.made_runs import make_run

DECAYS = {"epochs": 6, "lr_schedule": {"milestones": [1, 3]}}


def test_line_when_the_dots_lie_on_one_is_that_line():
    line = line_through(np.array([0.0, 1.0, 2.0, 4.0]), np.array([1.0, 3.0, 5.0, 9.0]))
    assert (line.slope, line.intercept, line.r) == pytest.approx((2, 1, 1))
    assert (line.low, line.high) == pytest.approx((1, 1))
    assert line.without == pytest.approx([1, 1, 1, 1])


def test_line_when_done_by_hand_agrees_with_numpy_and_holds_r_in_its_interval():
    rng = np.random.default_rng(3)
    x = rng.normal(size=20)
    y = 0.5 * x + rng.normal(size=20)
    line = line_through(x, y)
    slope, intercept = np.polyfit(x, y, 1)
    assert (line.slope, line.intercept) == pytest.approx((slope, intercept))
    assert line.r == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert line.low < line.r < line.high
    assert line.without[4] == pytest.approx(np.corrcoef(np.delete(x, 4), np.delete(y, 4))[0, 1])
    assert line_through(x, y)[:7] == line[:7]


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "no run is too few"),
        ([1.0, 2.0], [1.0, 2.0], "2 runs are too few"),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], "the ratio of all runs is the same"),
        ([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], "the error of all runs is the same"),
    ],
)
def test_line_when_there_is_none_says_why(x, y, reason):
    line = line_through(np.array(x), np.array(y))
    assert line.r is None
    assert reason in line.reason
    assert len(line.without) == len(x)


def test_line_when_one_dot_alone_varies_counts_the_resamples_without_r():
    line = line_through(np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.0, 0.1, 0.2, 1.0]))
    assert line.undefined > 0
    assert np.isnan(line.without[3])


@pytest.mark.usefixtures("database")
def test_courses_and_ratios_hold_what_each_run_recorded_and_count_the_others():
    made = [make_run(count=6, seed=seed, **DECAYS) for seed in (0, 1)]
    with session_scope() as session:
        waits = runs.submit(session, RunSpec(net="mlp", dataset="digits"))[0].id
    plain = make_run(count=3, epochs=4, lr_schedule={"kind": "constant"}).id
    with read_scope() as session:
        found = compare.runs_to_compare(session, None, "net=mlp")
        assert [run.id for run in found] == [1, 2, 3, 4]
        ids = [run.id for run in found]
        courses = compare.courses(session, ids, Measure.CROSS_PATH, Quantity.PATH, 2)
        assert [course.run for course in courses] == [made[0].id, made[1].id, plain]
        expected = [np.median(made[0].arrays[Measure.CROSS_PATH, 2, t]) for t in range(1, 6)]
        assert courses[0].median == pytest.approx(expected)
        assert courses[0].epochs.tolist() == [1, 2, 3, 4, 5]
        first = compare.courses(session, ids, Measure.CROSS_PATH, Quantity.PATH, 1)[0]
        assert first.undefined.tolist() == [1, 0, 0, 0, 0]
        ratios = compare.ratios(session, found, Quantity.PATH, "gap")
        assert [dot.run for dot in ratios.dots] == [made[0].id, made[1].id]
        assert ratios.dots[0].error == pytest.approx(0.5 - 0.45)
        assert ratios.left_out[waits] == "nothing has been recorded yet"
        assert "no step-wise decay" in ratios.left_out[plain]
        assert compare.ratios(session, found, Quantity.PATH, "test_error").dots[0].error == pytest.approx(0.55)
        with pytest.raises(NotFound, match="no run 9"):
            compare.runs_to_compare(session, [1, 9], None)


@pytest.mark.usefixtures("home")
def test_rest_compares_by_numbers_and_by_filter_and_names_what_differs():
    make_run(count=6, seed=0, **DECAYS)
    make_run(count=6, seed=7, **DECAYS, optimiser={"lr": 0.1})
    with TestClient(create_app()) as client:
        differ = client.get("/api/v1/compare/differences", params={"runs": "2,1"}).json()
        assert (differ["runs"], differ["fields"]) == ([1, 2], {"optimiser.lr": [0.02, 0.1], "seed": [0, 7]})
        assert differ["outcomes"]["test_accuracy"] == pytest.approx([0.45, 0.45])
        assert differ["outcomes"]["gap"] == pytest.approx([0.05, 0.05])
        dots = client.get("/api/v1/compare/early-to-mid", params={"filter": "seed=7"}).json()
        assert [dot["run"] for dot in dots["dots"]] == [2]
        assert "too few" in dots["reason"]
        alone = client.get("/api/v1/runs/2/early-to-mid").json()
        assert dots["dots"][0]["ratio"] == alone["ratios"][0]["ratio"] == differ["outcomes"]["ratio"][1]
        courses = client.get("/api/v1/compare/courses", params={"runs": "1,2", "layer": 9}).json()
        assert courses == {"courses": [], "left_out": [1, 2]}
        assert client.get("/api/v1/compare/differences", params={"runs": "1,x"}).status_code == 422
        many = client.get("/api/v1/compare/differences", params={"runs": ",".join(map(str, range(1, 502)))})
        assert (many.status_code, many.json()["errors"][0]["message"]) == (422, "at most 500 runs are compared at once")
        assert client.get("/api/v1/compare/differences", params={"runs": "77"}).status_code == 404


@pytest.mark.usefixtures("home")
def test_rest_compares_losses_and_accuracies_without_a_layer():
    make_run(count=3, **DECAYS)
    with session_scope() as session:
        runs.submit(session, RunSpec(net="mlp", dataset="digits"))
    with TestClient(create_app()) as client:
        found = client.get("/api/v1/compare/courses", params={"measure": "test_accuracy"}).json()
        made = client.get("/api/v1/runs/1/recordings").json()
        assert found["left_out"] == [2]
        assert found["courses"][0]["mean"] == found["courses"][0]["median"] == [one["test_accuracy"] for one in made]
        assert found["courses"][0]["epochs"] == [one["epoch"] for one in made]
        refused = client.get("/api/v1/compare/courses", params={"measure": "self_similarity"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "layer")
        unknown = client.get("/api/v1/compare/courses", params={"measure": "loss"})
        assert "'train_loss', 'test_loss'" in unknown.json()["detail"]
