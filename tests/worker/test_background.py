import threading
import time
from functools import partial

import pytest
import torch

from worker.background import Background


def test_jobs_are_done_in_order_by_one_thread_and_all_before_the_end():
    done = []
    with Background(2, 1) as background:
        for number in range(20):
            background.put(lambda number=number: done.append((number, threading.get_ident())))
    assert [number for number, _ in done] == list(range(20))
    assert {thread for _, thread in done} == {done[0][1]} != {threading.get_ident()}


def test_no_more_jobs_wait_than_there_is_room_for():
    gate, begun = threading.Event(), []
    with Background(2, 1) as background:
        handed_over = []

        def hand_over():
            for number in range(5):
                background.put(lambda number=number: (begun.append(number), gate.wait()))
                handed_over.append(number)

        thread = threading.Thread(target=hand_over)
        thread.start()
        time.sleep(0.3)
        assert (handed_over, begun) == ([0, 1, 2], [0])
        gate.set()
        thread.join()
    assert begun == [0, 1, 2, 3, 4]


def test_drain_waits_for_the_job_that_runs():
    done = []
    with Background(2, 1) as background:
        background.put(lambda: (time.sleep(0.2), done.append(1)))
        background.drain()
        assert done == [1]


@pytest.mark.parametrize("call", ["put", "drain", "check", "end"])
def test_what_a_job_raises_ends_the_context_and_no_job_behind_it_begins(call):
    done, failed = [], threading.Event()

    def fail():
        failed.set()
        raise KeyError("lost")

    def use():
        with Background(2, 1) as background:
            background.put(fail)
            failed.wait()
            time.sleep(0.2)
            if call == "put":
                background.put(partial(done.append, 1))
            elif call != "end":
                getattr(background, call)()

    with pytest.raises(KeyError, match="lost"):
        use()
    assert done == []


def test_an_exception_of_the_context_waits_for_the_jobs():
    done = []

    def use():
        with Background(2, 0) as background:
            background.put(lambda: (time.sleep(0.3), done.append(1)))
            background.put(partial(done.append, 2))
            raise ValueError("diverged")

    with pytest.raises(ValueError, match="diverged"):
        use()
    assert done == [1, 2]


def test_a_context_that_is_told_to_stop_waits_no_longer_than_its_patience():
    gate, done = threading.Event(), []

    def use():
        with Background(2, 0.2) as background:
            background.put(gate.wait)
            background.put(partial(done.append, 1))
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        use()
    assert 0.2 <= time.monotonic() - began < 2
    gate.set()
    time.sleep(0.2)
    assert done == []


def test_jobs_leave_torchs_other_threads_to_training():
    threads, before = [], torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Background(2, 1) as background:
            background.put(lambda: threads.append(torch.get_num_threads()))
        assert (threads, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)
