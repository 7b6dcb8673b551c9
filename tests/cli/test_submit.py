import json
import subprocess
from pathlib import Path

import httpx2 as httpx
import pytest

from backend.plugins import dataset_entries, net_entries
from cli.submit import described_run
from tests.cli.conftest import ARGV, Command


def test_described_run_when_file_flags_and_settings_name_the_same_field(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text('{"net": "mlp", "epochs": 3, "optimiser": {"lr": 0.1, "momentum": 0.5}, "seed": 1}')
    spec = described_run(file, {"epochs": 4, "optimiser.lr": 0.2, "dataset": None}, ["seed=0", "optimiser.lr=0.3"])
    assert spec == {"net": "mlp", "epochs": 4, "optimiser": {"lr": 0.3, "momentum": 0.5}, "seed": 0}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("net=alexnet", {"net": "alexnet"}),
        ('name="12"', {"name": "12"}),
        ("notes=a=b", {"notes": "a=b"}),
        ("probe.balanced=false", {"probe": {"balanced": False}}),
        ("lr_schedule.milestones=[2, 4]", {"lr_schedule": {"milestones": [2, 4]}}),
        ("optimiser.lr=NaN", {"optimiser": {"lr": "NaN"}}),
    ],
)
def test_described_run_when_a_setting_is_json_or_text(setting: str, expected: dict[str, object]) -> None:
    assert described_run(None, {}, [setting]) == expected


def test_commands_when_a_server_answers(pathscope: Command, server: str) -> None:
    """One server for them all, as each start of one takes seconds."""
    _submit_refused(pathscope)
    _submit_list_show(pathscope, server)
    _cancel_and_watch(pathscope)
    _doctor(pathscope)


def _submit_refused(pathscope: Command) -> None:
    refused = pathscope("submit", "--net", "no-such-net", "--dataset", "digits", "--set", "optimiser.lr=-1", "--watch")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == "pathscope: invalid input"
    assert "  optimiser.lr: Input should be greater than 0 (found -1)" in refused.stderr.splitlines()
    unknown = pathscope("submit", "--net", "no-such-net", "--dataset", "digits")
    assert unknown.returncode == 2
    assert "  net: no such net; installed are alexnet, mlp" in unknown.stderr


def _submit_list_show(pathscope: Command, server: str) -> None:
    assert "There is no run yet" in pathscope("runs").stdout
    sent = pathscope("submit", "-", "--tag", "a", "--tag", "b", "--json", stdin='{"net": "mlp", "dataset": "digits"}')
    assert sent.returncode == 0, sent.stderr
    run = json.loads(sent.stdout)
    assert run["spec"]["tags"] == ["a", "b"]
    assert httpx.get(f"{server}/api/v1/runs/{run['id']}").json()["status"] == "queued"

    pathscope("submit", "--net", "alexnet", "--dataset", "digits", "--name", "[bold]second[/bold]", "--lr", "0.05")
    listed = pathscope("runs")
    assert [line.split()[:2] for line in listed.stdout.splitlines()[1:]] == [["2", "queued"], ["1", "queued"]]
    assert "[bold]second[/bold]" in listed.stdout
    assert [run["id"] for run in json.loads(pathscope("runs", "--json", "--net", "mlp").stdout)["runs"]] == [1]
    assert "--cursor" in pathscope("runs", "--limit", "1").stdout
    assert json.loads(pathscope("show", "2", "--json").stdout)["spec"]["optimiser"]["lr"] == 0.05
    assert "alexnet" in pathscope("show", "2").stdout

    missing = pathscope("show", "99")
    assert (missing.returncode, missing.stderr) == (1, "pathscope: there is no run 99\n")
    wrong = pathscope("runs", "--status", "asleep")
    assert wrong.returncode == 2
    assert "  status: " in wrong.stderr


def _cancel_and_watch(pathscope: Command) -> None:
    with subprocess.Popen(
        [*ARGV, "submit", "--net", "mlp", "--dataset", "digits", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("Run 3 is queued: mlp on digits  http://127.0.0.1:")
        assert pathscope("cancel", "3").stdout == "Run 3 is cancelled.\n"
        _, complaint = watching.communicate(timeout=20)
    assert (watching.returncode, complaint) == (3, "pathscope: run 3 was cancelled\n")


def _doctor(pathscope: Command) -> None:
    found = pathscope("doctor").stdout
    offered = [entry for entry in dataset_entries().values() if not entry.folders]
    assert f"{len(net_entries())} nets, {len(offered)} datasets" in found
    assert "no worker is running" in found
