from datetime import UTC, datetime

import pytest

from backend.run_states import possible
from backend.schemas import Progress, RecordingOut, RunOut, RunSpec, RunStatus
from frontend import run_rows
from frontend.components.run_status import duration_text, progress_share, progress_text

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def run(**changed):
    spec = RunSpec.model_validate({"net": "alexnet", "dataset": "imagefolder:pets.zip", "tags": ["a", "b"]})
    usual = {
        "id": 7,
        "name": "alexnet on pets.zip",
        "status": RunStatus.QUEUED,
        "reason": None,
        "spec": spec,
        "tags": spec.tags,
        "attempt": 0,
        "worker": None,
        "sweep": None,
        "cancel_requested": False,
        "pause_requested": False,
        "created_at": NOON,
        "started_at": None,
        "finished_at": None,
        "updated_at": NOON,
        "progress": None,
        "last": None,
    }
    values = {**usual, **changed}
    return RunOut(**values, possible=possible(values["status"], cancelling=values["cancel_requested"]))


RUNNING = {
    "status": RunStatus.RUNNING,
    "started_at": NOON,
    "progress": Progress(phase="training", epoch=7, epochs=20, seconds_left=12.4),
}


def test_row_of_a_queued_run():
    row = run_rows.row(run())
    assert row["dataset"] == "pets.zip"
    assert row["tags"] == "a b"
    assert row["progress"] == "waits for a worker"
    assert (row["started_at"], row["train_accuracy"], row["share"]) == (None, None, 0)
    assert (row["can_cancel"], row["can_delete"]) == (True, False)


def test_row_of_a_running_run():
    last = RecordingOut(
        t=7, epoch=7, step=70, lr=0.1, train_loss=1, train_accuracy=0.5, test_loss=1, test_accuracy=0.25, seconds=1,
        created_at=NOON,
    )  # fmt: skip
    row = run_rows.row(run(**RUNNING, last=last))
    assert (row["share"], row["progress"]) == (0.35, "epoch 7 of 20 · 12 s left")
    assert (row["train_accuracy"], row["test_accuracy"]) == (0.5, 0.25)
    assert row["started_at"] == "2026-01-02T12:00:00+00:00"


def test_row_of_a_run_that_is_being_cancelled():
    row = run_rows.row(run(**RUNNING, cancel_requested=True))
    assert (row["status_text"], row["can_cancel"], row["can_delete"]) == ("cancelling", False, False)


def test_row_of_a_failed_run_gives_the_reason():
    row = run_rows.row(run(status=RunStatus.FAILED, reason="out of memory", finished_at=NOON))
    assert (row["progress"], row["can_cancel"], row["can_delete"]) == ("out of memory", False, True)


def test_progress_key_changes_with_the_status_alone():
    keys = {run_rows.row(run(**{**RUNNING, "status": status}))["progress_key"] for status in RunStatus}
    assert len(keys) == len(RunStatus)


def test_progress_keys_sort_by_share():
    shares = (0.5, 10, 9, 19.5)
    keys = [
        run_rows.row(run(**{**RUNNING, "progress": Progress(epoch=share, epochs=20)}))["progress_key"]
        for share in sorted(shares)
    ]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(phase="loading"), "loading the data"),
        (Progress(phase="recording", epoch=2.5, epochs=5), "epoch 2.5 of 5 · recording"),
        (Progress(phase="training", epoch=1, epochs=5, seconds_left=3700), "epoch 1 of 5 · 1 h 1 min left"),
    ],
)
def test_progress_text_of_a_running_run(progress, text):
    assert progress_text(RunStatus.RUNNING, progress) == text


def test_share_is_whole_for_a_completed_run_without_progress():
    assert progress_share(RunStatus.COMPLETED, None) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (80, "1 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (-3, "0 s"),
    ],
)
def test_duration_text(seconds, text):
    assert duration_text(seconds) == text
