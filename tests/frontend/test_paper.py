"""What the paper page says of the runs that a figure lacks."""

from frontend import paper
from frontend.components.run_status import duration_text
from tests.made_runs import make_run


def test_cost_when_no_such_run_has_completed_tells_bytes_alone(home):
    specs = paper.specs_of(paper.figure_of("7"), "small", [])
    told = paper.cost_stated(specs)
    assert told.startswith("The 6 missing runs store about ")
    assert "in 54 recordings" in told
    assert "no run like them has completed here" in told
    assert paper.cost_stated([]) == ""


def test_cost_when_such_runs_have_completed_tells_their_pace(home):
    spec = paper.specs_of(paper.figure_of("7"), "small", [])[0]
    make_run(**spec.model_dump(mode="json"))
    # Made runs take 2 s for each epoch, small ones have 8.
    assert f"about {duration_text(16)}." in paper.cost_stated([spec])
    other = paper.specs_of(paper.figure_of("1"), "small", [])
    assert "of 1 it is not known" in paper.cost_stated([spec, *other])
