"""The server starts and serves everything where the packages of the worker are not installed."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import ROOT

WORKER_ONLY = ("torch", "torchvision", "numba", "llvmlite", "sklearn", "psutil", "pynvml")

SERVE = """
import json
from fastapi.testclient import TestClient
from frontend.app import create_app
from tests.made_runs import make_run

run = make_run(images=7, epochs=6, lr_schedule={"milestones": [2, 4]},
               quantities=["path", "image_function", "projection"])
asked = {"run_id": run.id, "i": 1, "k": 1, "t": 2, "layer": 1, "recording": 2, "image": 1, "partner": 2,
         "kind": "self"}
pages = ("/", "/new", f"/runs/{run.id}", f"/runs/{run.id}/images/1", "/_dash-layout", "/_dash-dependencies")
with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
    found = {page: client.get(page).status_code for page in pages}
    for path, methods in client.get("/api/openapi.json").json()["paths"].items():
        parameters = methods.get("get", {}).get("parameters", [])
        needed = [one["name"] for one in parameters if one["required"] and one["in"] == "query"]
        if path.startswith("/api/v1/runs/{run_id}") and "get" in methods and "{name}" not in path:
            chosen = {name: asked.get(name, 1) for name in needed}
            found[path] = client.get(path.format_map(asked), params=chosen).status_code
    for figure in client.get(f"/api/v1/runs/{run.id}/figures").json():
        needed = [one for one in figure["parameters"] if one["required"]]
        chosen = {one["name"]: one["values"][0] if one["values"] else asked.get(one["name"], 1) for one in needed}
        if figure["available"]:
            address = f"/api/v1/runs/{run.id}/figures/{figure['name']}"
            found[address] = client.get(address, params=chosen).status_code
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that is installed here but for the packages of the worker."""
    folder = tmp_path_factory.mktemp("packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name not in WORKER_ONLY and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    return folder


def python(packages: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{packages}"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.usefixtures("home")
def test_every_page_and_statistic_is_served_without_the_packages_of_the_worker(packages: Path) -> None:
    assert python(packages, "-c", "import torch").returncode != 0
    ended = python(packages, "-c", SERVE)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert {path: status for path, status in found.items() if status != 200} == {}
    assert len(found) > 20


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["worker", "up"])
def test_what_trains_says_what_is_missing_without_the_packages_of_the_worker(packages: Path, command: str) -> None:
    ended = python(packages, "-m", "cli", command)
    assert ended.returncode == 1
    assert ended.stderr == (
        "pathscope: this installation serves and cannot train; a worker needs: pip install 'pathscope[worker]'\n"
    )


@pytest.mark.usefixtures("home")
def test_doctor_finds_all_in_order_without_the_packages_of_the_worker(packages: Path) -> None:
    ended = python(packages, "-m", "cli", "doctor")
    assert ended.returncode == 0, ended.stderr
    assert "runs train elsewhere" in ended.stdout
