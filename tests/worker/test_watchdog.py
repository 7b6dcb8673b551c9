"""A worker that no longer hears its broker."""

import pytest
from celery.worker import state

from backend import queue
from backend.schemas import DeviceKind
from worker import watchdog
from worker.watchdog import DEAF_SECONDS, Watchdog


@pytest.fixture
def clock(monkeypatch):
    """A list with the time."""
    now = [1000.0]
    monkeypatch.setattr(watchdog, "monotonic", lambda: now[0])
    return now


@pytest.mark.usefixtures("redis")
def test_deaf_is_who_is_idle_for_long_while_messages_wait(clock, monkeypatch):
    watching = Watchdog()
    clock[0] += 100
    assert not watching.deaf(), "no message waits"
    queue.send_run(1, DeviceKind.CPU)
    assert not watching.deaf()
    clock[0] += DEAF_SECONDS - 1
    assert not watching.deaf()
    monkeypatch.setitem(state.total_count, "pathscope.train", 1)
    clock[0] += 2
    assert not watching.deaf(), "it has just taken one"
    assert not watching.deaf()
    clock[0] += DEAF_SECONDS + 1
    assert watching.deaf()
