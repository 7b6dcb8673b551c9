"""The example in docs/dashboard.md, run as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend.db import read_scope
from backend.schemas import Quantity
from backend.services import statistics
from frontend.app import create_app
from frontend.views.registry import VIEWS
from frontend.views.view import View
from tests.made_runs import make_run

GUIDE = Path(__file__).parents[2] / "docs" / "dashboard.md"
NAME = "label-agreement"


@pytest.fixture
def code() -> str:
    found = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(found) == 1
    return found[0]


def test_the_worked_example_has_under_40_lines(code):
    assert len([line for line in code.splitlines() if line.strip()]) < 40


def test_the_worked_example_is_served_with_the_numbers_of_the_run(home, code, monkeypatch):
    names: dict[str, View] = {}
    exec(code, names)
    monkeypatch.setitem(VIEWS, NAME, names["LABEL_AGREEMENT"])
    run = make_run()
    with read_scope() as session:
        expected = statistics.neighbours_of_image(session, run.id, Quantity.PATH, 2, 3)
    with TestClient(create_app()) as client:
        path = f"/api/v1/runs/{run.id}/figures/{NAME}"
        figure = client.get(path, params={"image": 3, "layer": 2}).json()
        table = client.get(path, params={"image": 3, "layer": 2, "format": "table"}).json()
        missing = client.get(path)
    assert figure["data"][0]["x"] == expected.recordings.tolist()
    np.testing.assert_allclose(np.array(figure["data"][0]["y"], float), expected.label_agreement, atol=1e-6)
    assert table["total"] == len(expected.recordings)
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["field"] == "image"
