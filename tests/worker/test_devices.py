"""Runs on several devices, as processes on the CPU, against the same runs in one process."""

import os
import signal
import threading

import numpy as np
import pytest
import torch
from sqlalchemy import select
from torch import nn

from backend import codec
from backend.db import session_scope
from backend.models import LayerArray, LayerSummary, Recording
from backend.schemas import DeviceKind, RunSpec, RunStatus
from backend.services import commands, leases, runs
from backend.services.events import events_after, log_lines_after
from tests.servers import eventually
from worker.reporter import Reporter
from worker.share import Share, WholeDropout
from worker.supervisor import supervise
from worker.trainer import Trainer
from worker.training import choose_device

SPEC = {
    "dataset": "digits",
    "batch_size": 500,  # three steps, the last one of an odd number of images; many more magnify any rounding
    "optimiser": {"lr": 0.0005},
    "epochs": 1,
    "probe": {"count": 12},
    "recordings": {"log_spaced": 1},
    "device": "cpu",
}


def submitted(**spec):
    with session_scope() as session:
        run, _ = runs.submit(session, RunSpec(**(SPEC | spec)))
    with session_scope() as session:
        return leases.claim(session, run.id, "here")


@pytest.fixture
def one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def row(run_id):
    with session_scope() as session:
        return runs.get_run(session, run_id)


def trained_here(**spec):
    lease = submitted(**spec)
    with Reporter(lease) as reporter:
        Trainer(lease, row(lease.run_id).spec, reporter).run()
    return lease.run_id


def trained_by_processes(**spec):
    lease = submitted(**spec)
    supervise(lease, devices=spec["devices"])
    run = row(lease.run_id)
    assert run.status is RunStatus.COMPLETED, "\n".join([str(run.reason), *told(run.id)])
    return run.id


def told(run_id):
    """The run's warnings, then its log."""
    with session_scope() as session:
        warnings = [event.data["message"] for event in events_after(session, run_id, 0) if event.kind == "warning"]
        return warnings + [line.text for line in log_lines_after(session, run_id, 0)]


def stored(run_id, table):
    with session_scope() as session:
        return session.scalars(
            select(table).where(table.run_id == run_id).order_by(*table.__mapper__.primary_key)
        ).all()


@pytest.mark.parametrize("net", ["alexnet", "mlp"])
def test_recordings_on_two_devices_are_those_on_one(home, one_thread_each, net):
    spec = {"net": net, "augmentation": "flip_crop"}
    one, two = trained_here(**spec), trained_by_processes(**spec, devices=2)
    recordings = list(zip(stored(one, Recording), stored(two, Recording), strict=True))
    assert [alone.step for alone, _ in recordings] == [0, 1, 3]
    for alone, shared_out in recordings:
        for column in ("t", "epoch", "step", "lr", "train_accuracy", "test_accuracy"):
            assert getattr(alone, column) == getattr(shared_out, column)
        assert alone.train_loss == pytest.approx(shared_out.train_loss, rel=1e-5)
        assert alone.test_loss == pytest.approx(shared_out.test_loss, rel=1e-5)
    arrays = list(zip(stored(one, LayerArray), stored(two, LayerArray), strict=True))
    layers = {"alexnet": 7, "mlp": 3}[net]
    assert len(arrays) == layers * (3 * 2 + 2 * 4 + 3)
    for alone, shared_out in arrays:
        assert (alone.measure, alone.quantity, alone.k, alone.t) == (
            *(shared_out.measure, shared_out.quantity, shared_out.k, shared_out.t),
        )
        exact = codec.decode(alone.data)
        # A unit whose pre-activation is almost 0 may be on in one run alone.
        np.testing.assert_allclose(
            exact, codec.decode(shared_out.data), rtol=1e-4, atol=1 if exact.dtype == np.int32 else 2e-4
        )
    for alone, shared_out in zip(stored(one, LayerSummary), stored(two, LayerSummary), strict=True):
        assert alone.mean == pytest.approx(shared_out.mean, rel=1e-5, nan_ok=True)


def test_cancel_ends_every_process(home, one_thread_each):
    lease = submitted(net="mlp", devices=2, epochs=10_000)
    watching = threading.Thread(target=supervise, args=(lease, (), 2))
    watching.start()
    eventually(lambda: row(lease.run_id).progress.step > 0, "the first step")
    assert len(processes_of(lease)) == 3
    with session_scope() as session:
        commands.cancel(session, lease.run_id)
    watching.join(30)
    assert not watching.is_alive()
    assert row(lease.run_id).status is RunStatus.CANCELLED
    assert processes_of(lease) == []
    assert [recording.t for recording in stored(lease.run_id, Recording)][:2] == [0, 1]


def test_attempt_is_lost_when_one_process_is_killed(home, one_thread_each):
    lease = submitted(net="mlp", devices=2, epochs=10_000)
    watching = threading.Thread(target=supervise, args=(lease, (), 2))
    watching.start()
    eventually(lambda: row(lease.run_id).progress.step > 0, "the first step")
    os.kill(rank_of(lease, 1), signal.SIGKILL)
    watching.join(60)
    assert not watching.is_alive()
    assert row(lease.run_id).status is RunStatus.QUEUED
    assert processes_of(lease) == []
    reason = "Process 2 of the run was killed: it gave no sign of life, or the machine had no memory left"
    assert told(lease.run_id)[0] == f"attempt 1 was lost: {reason}"


def test_process_that_is_stopped_is_killed_and_its_run_waits_again(home, one_thread_each, monkeypatch):
    monkeypatch.setenv("PATHSCOPE_LEASE_SILENT_SECONDS", "6")
    lease = submitted(net="mlp", devices=2, epochs=10_000)
    watching = threading.Thread(target=supervise, args=(lease, (), 2))
    watching.start()
    eventually(lambda: row(lease.run_id).progress.step > 0, "the first step")
    os.kill(rank_of(lease, 1), signal.SIGSTOP)
    watching.join(60)
    assert not watching.is_alive()
    assert row(lease.run_id).status is RunStatus.QUEUED
    assert processes_of(lease) == []


def test_run_given_back_goes_on_from_its_checkpoint(home, one_thread_each):
    spec = {"net": "mlp", "epochs": 60, "recordings": {"every_epochs": 20}}
    lease = submitted(**spec, devices=2)
    watching = threading.Thread(target=supervise, args=(lease, (), 2))
    watching.start()
    eventually(lambda: len(stored(lease.run_id, Recording)) > 1, "the second recording")
    (launcher,) = (pid for pid in processes_of(lease) if "worker.launcher" in command_of(pid))
    os.kill(launcher, signal.SIGTERM)
    watching.join(30)
    assert row(lease.run_id).status is RunStatus.QUEUED
    with session_scope() as session:
        again = leases.claim(session, lease.run_id, "here")
    supervise(again, devices=2)
    assert row(lease.run_id).status is RunStatus.COMPLETED
    for alone, resumed in zip(stored(trained_here(**spec), Recording), stored(lease.run_id, Recording), strict=True):
        assert alone.step == resumed.step
        assert alone.train_loss == pytest.approx(resumed.train_loss, rel=1e-4)


def test_batch_norm_on_several_cpu_processes_is_refused(home, one_thread_each):
    lease = submitted(net="resnet18", devices=2)
    supervise(lease, devices=2)
    run = row(lease.run_id)
    assert run.status is RunStatus.FAILED
    assert "batch norm can be trained by several processes on GPUs alone" in run.reason


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return ""


def processes_of(lease):
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and lease.token in command_of(pid)]


def rank_of(lease, rank):
    for pid in processes_of(lease):
        with open(f"/proc/{pid}/environ") as file:
            if f"\0RANK={rank}\0" in file.read():
                return pid
    raise AssertionError(f"no process has rank {rank}")


def test_more_devices_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="asks for 3 devices, but this worker has 2 GPUs"):
        choose_device(DeviceKind.AUTO, Share(0, 3))
    assert choose_device(DeviceKind.AUTO, Share(1, 2)) == torch.device("cuda", 1)
    assert choose_device(DeviceKind.CPU, Share(1, 3)) == torch.device("cpu")


@pytest.mark.parametrize("dropout", [nn.Dropout(0.3), nn.Dropout(0.3, inplace=True), nn.Dropout2d(0.3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_dropout_of_shares_is_that_of_the_whole_batch(dropout, layout):
    images = torch.rand(7, 5, 4, 3).to(memory_format=layout)
    torch.manual_seed(3)
    whole, after = dropout(images.clone(memory_format=torch.preserve_format)), torch.rand(())
    shares = [Share(rank, 3) for rank in range(3)]
    for share in shares:
        torch.manual_seed(3)
        with WholeDropout(share, 7):
            own = dropout(share.of(images).clone(memory_format=torch.preserve_format))
        assert torch.equal(own, share.of(whole))
        assert torch.equal(torch.rand(()), after)


def test_shares_of_a_batch_are_all_of_it():
    for images in range(5):
        parts = [Share(rank, 3).of(torch.arange(images)) for rank in range(3)]
        assert torch.cat(parts).tolist() == list(range(images))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
