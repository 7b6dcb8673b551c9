import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from backend.schemas import DeviceKind, RunSpec
from worker.augmentation import flip_and_crop
from worker.data import Data
from worker.recorder import capture
from worker.training import (
    Diverged,
    Training,
    batch_sizes,
    choose_device,
    learning_rate,
    recording_steps,
)

CPU = torch.device("cpu")
SPEC = {"net": "mlp", "dataset": "digits", "batch_size": 8, "epochs": 3, "augmentation": "flip_crop"}


def made_up_data(images=37, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (images + 20, 1, 6, 6), dtype=torch.uint8, generator=generator)
    labels = (pixels[:, 0, 0, 0] > 127).long()
    return Data.of((pixels[:images], labels[:images]), (pixels[images:], labels[images:]), ["dark", "light"])


def small_net(*, batch_norm=False):
    torch.manual_seed(1)
    norm = nn.BatchNorm2d(4) if batch_norm else nn.Identity()
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), norm, nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, 2)
    )


def training(*, data=None, batch_norm=False, **spec):
    return Training(small_net(batch_norm=batch_norm), data or made_up_data(), RunSpec(**(SPEC | spec)), CPU)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_same_seed_trains_the_same_weights_to_the_bit():
    first, again, other = training(), training(), training(seed=1)
    assert list(first) == list(again)
    list(other)
    assert same(first.net, again.net)
    assert not same(first.net, other.net)


@pytest.mark.parametrize("stop", [0, 3, 5, 7, 15])
def test_resumed_training_goes_on_to_the_bit(stop):
    whole, steps = training(batch_norm=True), []
    for step in whole:
        steps.append(step)
        if step.step == stop:
            state = copy.deepcopy(whole.state_dict())
    torch.manual_seed(99)
    resumed = training(batch_norm=True)
    resumed.load_state_dict(state)
    assert list(resumed) == steps[stop + 1 :]
    assert same(whole.net, resumed.net)


def test_checkpointed_net_gives_the_same_activations_to_the_bit():
    run, probes = training(batch_norm=True), torch.tensor([3, 1, 30])
    for step in run:
        if step.step == 7:
            break
    resumed = training(batch_norm=True)
    resumed.load_state_dict(run.state_dict())
    for one, other in zip(*(capture(each.net, each.probe_images(probes)) for each in (run, resumed)), strict=True):
        assert torch.equal(one.activations, other.activations)


def test_recording_and_evaluating_do_not_change_the_training():
    plain, watched = training(), training()
    list(plain)
    for step in watched:
        if step.due:
            capture(watched.net, watched.probe_images(torch.tensor([3, 1])))
            watched.evaluate("train")
    assert same(plain.net, watched.net)


def test_steps_tell_where_training_is():
    steps = list(training(epochs=2, lr_schedule={"milestones": [1]}))
    assert [step.step for step in steps] == list(range(11))
    assert [step.images for step in steps] == [0, 8, 16, 24, 32, 37, 45, 53, 61, 69, 74]
    assert [step.epoch for step in steps if step.due] == [0, 1, 2]
    assert [step.lr for step in steps] == [0.02] * 6 + [pytest.approx(0.002)] * 5
    assert steps[0].loss is None
    assert all(step.loss > 0 for step in steps[1:])


def test_each_epoch_trains_on_every_image_once_in_another_order():
    seen = []

    class Watching(nn.Flatten):
        def forward(self, x):
            seen.extend(x[:, 0, 0, 0].tolist())
            return super().forward(x)

    data = made_up_data()
    data.train_images[:, 0, 0, 0] = torch.arange(37, dtype=torch.uint8)
    net = nn.Sequential(Watching(), nn.Linear(36, 2))
    run = Training(net, data, RunSpec(**(SPEC | {"augmentation": "none", "epochs": 2})), CPU)
    list(run)
    first, second = seen[:37], seen[37:]
    assert len(set(first)) == 37
    assert set(first) == set(second)
    assert first != second


def test_training_learns():
    data = made_up_data(200)
    run = training(data=data, epochs=30, augmentation="none", optimiser={"lr": 0.05})
    before = run.evaluate("train")
    list(run)
    after = run.evaluate("train")
    assert after.loss < before.loss / 2
    assert after.accuracy > 0.9


def test_evaluation_is_that_of_all_images_in_eval_mode(monkeypatch):
    data = made_up_data()
    run = training(data=data, batch_norm=True)
    run.net.train()
    whole = run.evaluate("test")
    monkeypatch.setattr(run, "evaluation_batch", 7)
    parts = run.evaluate("test")
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    assert parts.accuracy == whole.accuracy
    assert run.net.training
    run.net.eval()
    logits = run.net(run.normalise(data.test_images))
    assert whole.accuracy == (logits.argmax(1) == data.test_labels).double().mean().item()


def test_evaluation_of_no_images_is_undefined():
    data = made_up_data()
    without = Data.of((data.train_images, data.train_labels), (data.test_images[:0], data.test_labels[:0]), ["a", "b"])
    assert all(math.isnan(value) for value in training(data=without).evaluate("test"))


def test_evaluation_takes_fewer_images_at_once_where_they_are_large():
    labels = torch.zeros(2, dtype=torch.int64)
    images = torch.zeros(2, 1, 224, 224, dtype=torch.uint8)
    net = nn.Sequential(nn.Flatten(), nn.Linear(224 * 224, 1))
    run = Training(net, Data.of((images, labels), (images, labels), ["a"]), RunSpec(**SPEC), CPU)
    assert run.evaluation_batch == 167
    assert training().evaluation_batch == 1024


def test_images_are_normalised_by_the_training_set():
    data = made_up_data()
    images = training(data=data).probe_images(torch.arange(37))
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std(unbiased=False).item() == pytest.approx(1, rel=1e-5)


def test_loss_that_is_not_finite_ends_the_training():
    run = training(optimiser={"lr": 10, "momentum": 0.99, "weight_decay": 1}, epochs=200)
    with pytest.raises(Diverged, match=r"the training loss was not finite at step \d+ \(epoch \d+\.\d\d\)") as found:
        list(run)
    assert found.value.step == run.step


def test_batch_of_one_image_joins_the_last_where_the_net_has_batch_norm():
    data = made_up_data(33)
    assert training(data=data).batch_sizes == [8, 8, 8, 8, 1]
    run = training(data=data, batch_norm=True, epochs=1)
    assert run.batch_sizes == [8, 8, 8, 9]
    assert [step.images for step in run][-1] == 33


@given(images=st.integers(1, 100), batch=st.integers(1, 40), least=st.integers(1, 2))
def test_batch_sizes_leave_no_image_out(images, batch, least):
    sizes = batch_sizes(images, batch, least)
    assert sum(sizes) == images
    assert all(size == batch for size in sizes[:-1])


def test_bf16_training_runs():
    losses = [step.loss for step in training(precision="bf16", epochs=1)][1:]
    assert all(math.isfinite(loss) for loss in losses)


def test_learning_rate_falls_after_milestones():
    spec = RunSpec(net="mlp", dataset="digits", epochs=4, lr_schedule={"milestones": [1, 3], "gamma": 0.5})
    assert [learning_rate(spec, step, 2) for step in range(8)] == [0.02] * 2 + [0.01] * 4 + [0.005] * 2


def test_learning_rate_follows_half_a_cosine():
    spec = RunSpec(net="mlp", dataset="digits", epochs=4, lr_schedule={"kind": "cosine"})
    rates = [learning_rate(spec, step, 2) for step in range(9)]
    assert rates[0] == 0.02
    assert rates[4] == pytest.approx(0.01)
    assert rates[8] == pytest.approx(0)


@pytest.mark.parametrize(("epochs", "per_epoch", "warm_up"), [(4, 5, 0.3), (1, 2, 0.5), (1, 1, 0.3), (3, 1, 0.9)])
def test_learning_rate_of_one_cycle_is_that_of_torch(epochs, per_epoch, warm_up):
    schedule = {"kind": "one_cycle", "warm_up": warm_up}
    spec = RunSpec(net="mlp", dataset="digits", epochs=epochs, optimiser={"lr": 0.4}, lr_schedule=schedule)
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4)
    steps = epochs * per_epoch
    if warm_up * steps == 1:  # torch divides by 0 where the first step is the top
        assert [learning_rate(spec, step, per_epoch) for step in range(2)] == pytest.approx([0.4, 1.6e-6])
        return
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.4, total_steps=steps, pct_start=warm_up, cycle_momentum=False
    )
    for step in range(steps):
        assert learning_rate(spec, step, per_epoch) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimiser.step()
        if step + 1 < steps:
            theirs.step()


def test_label_smoothing_changes_training_and_not_what_is_evaluated():
    plain, smooth = training(), training(label_smoothing=0.2)
    smooth.net.load_state_dict(plain.net.state_dict())
    assert plain.evaluate("train") == smooth.evaluate("train")
    images, labels = plain.normalise(plain.feed.images(torch.arange(8))), plain.feed._labels["train"][:8]
    plain.net.eval()
    smooth.net.eval()
    log_odds = plain.net(images).log_softmax(1)
    expected = 0.8 * -log_odds[torch.arange(8), labels].mean() + 0.2 * -log_odds.mean()
    torch.testing.assert_close(smooth._loss(images, labels), expected)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")  # torch's own, when it compiles
def test_compiled_training_records_the_net_as_it_was_built():
    plain, compiled = training(), training(compile=True)
    assert compiled._for(8) is not compiled.net
    assert compiled._for(5) is compiled.net  # the rest of an epoch
    with torch.compiler.set_stance("force_eager"):  # a compiler takes longer than all other tests here
        assert list(compiled) == list(plain)
    assert same(compiled.net, plain.net)
    assert type(compiled.net) is nn.Sequential
    found, wanted = (capture(run.net, run.probe_images(torch.arange(6))) for run in (compiled, plain))
    assert [one.name for one in found] == [one.name for one in wanted] == ["2"]
    assert torch.equal(found[0].activations, wanted[0].activations)


def test_learning_rate_stays_constant():
    spec = RunSpec(net="mlp", dataset="digits", epochs=4, lr_schedule={"kind": "constant"})
    assert {learning_rate(spec, step, 2) for step in range(8)} == {0.02}


def spec_with(epochs, every=1, log_spaced=0):
    recordings = {"every_epochs": every, "log_spaced": log_spaced}
    return RunSpec(net="mlp", dataset="digits", epochs=epochs, recordings=recordings)


def test_recording_steps_are_epochs_the_start_and_the_end():
    assert recording_steps(spec_with(3), 5) == [0, 5, 10, 15]
    assert recording_steps(spec_with(5, every=2), 10) == [0, 20, 40, 50]


def test_log_spaced_recordings_come_on_top():
    assert recording_steps(spec_with(10, log_spaced=4), 100)[:6] == [0, 1, 6, 32, 100, 178]
    # Where an epoch ends at a log-spaced step, the next free step is taken.
    assert recording_steps(spec_with(4, log_spaced=2), 2) == [0, 1, 2, 3, 4, 6, 8]


@settings(deadline=None)
@given(epochs=st.integers(1, 30), every=st.integers(1, 30), log_spaced=st.integers(0, 200), per=st.integers(1, 60))
def test_recording_steps_are_as_many_as_asked_for(epochs, every, log_spaced, per):
    every = min(every, epochs)
    steps, plain = (recording_steps(spec_with(epochs, every, n), per) for n in (log_spaced, 0))
    assert steps == sorted(set(steps))
    assert set(plain) <= set(steps)
    assert steps[-1] == epochs * per
    assert len(steps) == min(len(plain) + log_spaced, epochs * per + 1)


def test_flip_and_crop_is_a_padded_crop():
    images = torch.randint(0, 256, (5, 3, 8, 9), dtype=torch.uint8)
    batch, flip = torch.tensor([4, 0, 2]), torch.tensor([True, False, True])
    move = torch.tensor([[-4, 0, 3], [2, 0, 4]])
    found = flip_and_crop(images, batch, flip, move)
    for row, n in enumerate(batch.tolist()):
        padded = np.pad(images[n].numpy(), ((0, 0), (4, 4), (4, 4)), mode="reflect")
        down, right = (move[:, row] + 4).tolist()
        expected = padded[:, down : down + 8, right : right + 9]
        np.testing.assert_array_equal(found[row], expected[:, :, ::-1] if flip[row] else expected)


def test_flip_and_crop_manages_images_smaller_than_the_padding():
    images = torch.arange(4, dtype=torch.uint8).reshape(1, 1, 2, 2)
    move = torch.tensor([[4], [-3]])
    assert flip_and_crop(images, torch.tensor([0]), torch.tensor([False]), move).flatten().tolist() == [1, 0, 3, 2]
    pixel = torch.ones(1, 1, 1, 1, dtype=torch.uint8)
    assert flip_and_crop(pixel, torch.tensor([0]), torch.tensor([True]), move).flatten().tolist() == [1]


def test_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(DeviceKind.AUTO) == choose_device(DeviceKind.CPU) == CPU
    with pytest.raises(ValueError, match="asks for device cuda, but this machine has no CUDA GPU"):
        choose_device(DeviceKind.CUDA)
