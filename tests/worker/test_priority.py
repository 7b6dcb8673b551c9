"""Whether a trainer's session gives way to server and browser, which are in others."""

import subprocess
import sys

import pytest

from worker.priority import GROUP, NICE, give_way

SAY = "import os; print(os.getpriority(os.PRIO_PROCESS, 0)); print(open('/proc/self/autogroup').read())"


@pytest.mark.skipif(not GROUP.exists(), reason="this kernel does not group processes by session")
def test_a_session_that_gives_way_is_nice_as_a_whole() -> None:
    before = GROUP.read_text()
    said = subprocess.run(
        [sys.executable, "-c", SAY],
        start_new_session=True,
        preexec_fn=give_way,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    nice, group, *_ = said.splitlines()
    assert int(nice) == NICE
    assert group.endswith(f" nice {NICE}")
    assert GROUP.read_text() == before
