"""Asks the API whatever its OpenAPI document allows and forbids, and holds the answers against the document."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backend.db import session_scope
from backend.machines import MachineLoad
from backend.models import now
from backend.services import workers
from tests.conftest import forget_settings
from tests.made_runs import make_run
from tests.servers import serving

CONFIG = Path(__file__).with_name("schemathesis.toml")
TOKEN = "fuzzing-fuzzing-fuzzing-fuzzing-fuzzing"


def fuzz(home: Path, monkeypatch: pytest.MonkeyPatch, *, phases: str, examples: int, seed: int) -> int:
    """How many cases were tried, with all checks; fails with what schemathesis says where one of them failed."""
    monkeypatch.setenv("PATHSCOPE_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("PATHSCOPE_SUBMIT_LIMIT", "100000/minute")
    monkeypatch.setenv("PATHSCOPE_WORKER_SILENT_SECONDS", "3600")  # else the server is not ready, and says so with 503
    forget_settings()
    make_run(quantities=["path", "projection", "image_function"])
    with session_scope() as session:
        load = MachineLoad(cores=2, utilisation=0, memory_used=0, memory_total=1)
        workers.report_worker(session, "one@here", workers.Machine("here", "CPU", 1, has_gpu=False), load, now())
    with serving(home) as url:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", f"{url}/api/openapi.json", "--header", f"Authorization: Bearer {TOKEN}", "--no-color"),
            *("--checks", "all", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed)),
            *("--generation-database", "none", "--request-timeout", "20", "--continue-on-failure"),
        ]
        found = subprocess.run(command, capture_output=True, text=True, cwd=home, env=os.environ | {"COLUMNS": "150"})
    assert found.returncode == 0, found.stdout + found.stderr
    cases = re.search(r"([\d,]+) generated", found.stdout)
    assert cases, found.stdout
    return int(cases[1].replace(",", ""))
