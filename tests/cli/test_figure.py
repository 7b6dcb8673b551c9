"""`pathscope figure` and `pathscope compare`, against a real server."""

import pytest

from tests.made_runs import make_run


def test_figure_is_saved_as_its_ending_says(server, pathscope, tmp_path):
    make_run()
    saved = pathscope("figure", "1", "cross-path", "-o", str(tmp_path / "f.csv"), "--layer", "2")
    assert saved.returncode == 0, saved.stderr
    assert (tmp_path / "f.csv").read_text().startswith("recording,epoch,mean,std,quantile_0,")
    assert "cross-path" in pathscope("figure", "1").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cross-path", "-o", "f.pdf"], "take one of .svg, .png"),
        (["cross-path", "-o", "f.csv", "--layer", "9"], "layer: this run has 1 to 2 (found 9)"),
    ],
)
def test_figure_that_cannot_be_is_refused_with_2(server, pathscope, arguments, said):
    make_run()
    refused = pathscope("figure", "1", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr


def test_figure_of_several_runs_is_saved_and_a_wrong_one_refused(server, pathscope, tmp_path):
    for seed in (1, 2):
        make_run(seed=seed)
    saved = pathscope("compare", "over-training", "-o", str(tmp_path / "f.csv"), "--filter", "seed=2", "--layer", "2")
    assert saved.returncode == 0, saved.stderr
    lines = (tmp_path / "f.csv").read_text().splitlines()
    assert lines[0] == "line,epoch,value,low,high,undefined,runs"
    assert {line.partition(" ")[0] for line in lines[1:]} == {"2"}
    losses = ["-o", str(tmp_path / "l.csv"), "--measure", "train_loss", "--runs", "1"]
    assert pathscope("compare", "over-training", *losses).returncode == 0
    seeds = ["-o", str(tmp_path / "s.csv"), "--field", "seed", "--outcome", "gap"]
    assert pathscope("compare", "field-against-outcome", *seeds).returncode == 0
    assert (tmp_path / "s.csv").read_text().startswith("run,net,seed,test_accuracy,gap,ratio")
    assert "early-to-mid-ratio" in pathscope("compare").stdout
    refused = pathscope("compare", "over-training", "-o", "f.csv", "--group", "colour")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "group: " in refused.stderr
