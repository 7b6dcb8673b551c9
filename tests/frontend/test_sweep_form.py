import pytest
from dash import no_update

from backend.db import read_scope, session_scope
from backend.services import runs, sweeps
from backend.sweeps import SweepSpec
from frontend import spec_form
from frontend.components import sweep_form
from frontend.pages import sweep

pytestmark = pytest.mark.usefixtures("home")


def form(**changed):
    return spec_form.values_of({"net": "mlp", "dataset": "digits"} | changed)


def test_lines_make_a_run_for_each_combination():
    over = "optimiser.lr = 0.01, 0.1\nlr_schedule.kind = cosine\n\nseed = 0, 1, 2\n"
    error, said = sweep_form.planned(over, form(epochs=4))
    assert error is None
    assert said.startswith("6 runs, about ")
    assert sweep_form.submitted(over, form(epochs=4)) == ("/sweeps/1", None)
    with read_scope() as session:
        made = [runs.get_run(session, run_id) for run_id in sweeps.get_sweep(session, 1).runs]
    assert [(run.spec.optimiser.lr, run.spec.seed) for run in made] == [(lr, s) for lr in (0.01, 0.1) for s in range(3)]
    assert {(run.spec.epochs, run.spec.lr_schedule.kind) for run in made} == {(4, "cosine")}
    shown = str(sweep.layout("1"))
    assert "6 runs: 6 queued" in shown
    assert "/?filter=sweep%3D1" in shown
    assert "disabled=False" in shown
    with session_scope() as session:
        sweeps.cancel(session, 1)
    shown = str(sweep.layout("1"))
    assert "6 runs: 6 cancelled" in shown
    assert "disabled=True" in shown, "nothing is left to cancel"


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ("seed", "'seed' is not of the form field = value, value"),
        ("optimiser.lr = 20", "optimiser.lr: with lr 20"),
        ("colour = red", "colour: with colour red"),
        ("seed = " + ",".join(map(str, range(201))), "at most 200"),
    ],
)
def test_lines_that_are_wrong_are_said_and_nothing_is_submitted(over, said):
    assert said in sweep_form.planned(over, form())[0]
    address, error = sweep_form.submitted(over, form())
    assert address is no_update
    assert said in error
    with read_scope() as session:
        assert sweeps.list_sweeps(session) == []


def test_sweep_page_has_a_column_for_each_swept_field_and_the_accuracies(home):
    grid = {"optimiser.lr": [0.25], "lr_schedule": [{"kind": "constant"}]}
    with session_scope() as session:
        sweeps.submit(session, SweepSpec(name="two", base={"net": "mlp", "dataset": "digits"}, grid=grid, seeds=(3,)))
    shown = str(sweep.layout("1"))
    for cell in ("'optimiser.lr'", "'0.25'", "'lr_schedule'", '"kind": "constant"', "'seed'", "'3'", "'Training acc.'"):
        assert cell in shown, cell
    assert "/compare?filter=sweep%3D1" in shown
    assert "two · sweep 1" in shown
