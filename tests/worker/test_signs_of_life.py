"""A trainer's supervisor hears it, or does not."""

import os

import pytest

from worker import signs_of_life
from worker.signs_of_life import START_SECONDS, Listener


@pytest.fixture
def clock(monkeypatch):
    """A list with the time."""
    now = [1000.0]
    monkeypatch.setattr(signs_of_life, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def listener(clock):
    listener = Listener()
    yield listener
    listener.close()


def test_silence_counts_from_the_last_sign(listener, clock):
    os.write(listener.descriptor, b".")
    assert not listener.silent_for_longer_than(30)
    clock[0] += 29
    assert not listener.silent_for_longer_than(30)
    os.write(listener.descriptor, b"..")
    assert not listener.silent_for_longer_than(30)
    clock[0] += 31
    assert listener.silent_for_longer_than(30)
    os.close(listener.descriptor)


def test_a_trainer_that_starts_may_take_longer(listener, clock):
    clock[0] += START_SECONDS - 1
    assert not listener.silent_for_longer_than(30)
    clock[0] += 2
    assert listener.silent_for_longer_than(30)
    os.close(listener.descriptor)


def test_the_end_of_the_trainer_is_no_sign(listener, clock):
    os.write(listener.descriptor, b".")
    os.close(listener.descriptor)
    assert not listener.silent_for_longer_than(30)
    clock[0] += 31
    assert listener.silent_for_longer_than(30)
