"""What a trainer stores of the further quantities, in a real run that is interrupted on the way, on the database."""

import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from backend import artifacts, codec
from backend.db import read_scope, session_scope
from backend.schemas import Measure, Quantity, Recorded, RunSpec
from backend.services import answers, early_to_mid, leases, projections, recordings, runs, statistics, two_times
from backend.settings import settings
from worker.datasets import load_data
from worker.image_functions import capture_calls
from worker.kernels.image_function import compare
from worker.kernels.packing import from_stored
from worker.kernels.projection import project
from worker.nets import build_net, evaluating
from worker.reporter import Reporter
from worker.trainer import Stopped, Trainer
from worker.training import Training

SPEC = {
    "net": "mlp",
    "dataset": "digits",
    "epochs": 4,
    "lr_schedule": {"milestones": [1, 2]},
    "probe": {"count": 12},
    "quantities": ["path", "projection", "image_function"],
    "recordings": {"projection_every": 2},
    "device": "cpu",
}


class Interrupted(Reporter):
    """Asks the trainer to stop after its second recording."""

    def set(self, **values):
        super().set(**values)
        if values.get("recorded") == 2:
            self.stop_asked.set()


def train(spec, interrupted):
    with session_scope() as session:
        run, _ = runs.submit(session, RunSpec.model_validate(spec))
    with session_scope() as session:
        lease = leases.claim(session, run.id, "tests@here")
    if interrupted:
        with Interrupted(lease) as reporter, pytest.raises(Stopped):
            Trainer(lease, run.spec, reporter).run()
    with Reporter(lease) as reporter:
        Trainer(lease, run.spec, reporter).run()
    return run.id


@pytest.fixture
def run_id(home):
    return train(SPEC, interrupted=True)


def paths_at(run_id, t, k):
    return codec.decode(artifacts.read_paths(run_id, 1, t, k))


def net_at_the_end(run_id):
    """The trained net, normalised probe images and their labels."""
    data = load_data("digits", settings().data_folder)
    spec = RunSpec.model_validate(SPEC)
    training = Training(build_net("mlp", data.input_shape, 10), data, spec, torch.device("cpu"))
    checkpoint = artifacts.read_checkpoint(run_id, artifacts.list_checkpoints(run_id)[0])
    state = torch.load(io.BytesIO(checkpoint), weights_only=True)
    training.load_state_dict(state["training"])
    with read_scope() as session:
        indices = torch.tensor([image.dataset_index for image in recordings.list_images(session, run_id)])
    return training.net, training.probe_images(indices), data.train_labels[indices]


def test_two_times_are_stored_with_each_recording(run_id):
    with read_scope() as session:
        for layer in (1, 2, 3):
            mean = two_times.mean_over_images(session, run_id, layer)
            maps = [two_times.of_image(session, run_id, layer, image).values for image in range(12)]
            assert mean.recordings.tolist() == [0, 1, 2, 3, 4]
            np.testing.assert_allclose(mean.values, np.mean(maps, axis=0), rtol=1e-12)
            assert mean.values.diagonal().tolist() == [1] * 5


def test_projections_are_those_of_the_net_along_the_stored_paths(run_id):
    net, images, labels = net_at_the_end(run_id)
    with read_scope() as session:
        mean = projections.mean_over_images(session, run_id)
        maps = [projections.of_image(session, run_id, image) for image in range(12)]
    assert mean.recordings.tolist() == [0, 2, 4]
    assert np.isnan(mean.loss).tolist() == [[False] * 3, [True, False, False], [True, True, False]]
    for row, s in enumerate((0, 2, 4)):
        logits = project(net, images, [from_stored(paths_at(run_id, s, k)) for k in (1, 2, 3)])
        loss = F.cross_entropy(logits, labels, reduction="none").numpy()
        right = (logits.argmax(1) == labels).numpy()
        assert [one.loss[row, 2] for one in maps] == loss.tolist()
        assert [one.accuracy[row, 2] for one in maps] == right.tolist()
        assert mean.loss[row, 2] == pytest.approx(loss.mean(dtype=float))
        assert mean.accuracy[row, 2] == right.mean()


def test_along_its_own_path_an_image_has_the_loss_of_the_ordinary_forward_pass(run_id):
    net, images, labels = net_at_the_end(run_id)
    with evaluating(net):
        loss = F.cross_entropy(net(images), labels, reduction="none")
    with read_scope() as session:
        found = [projections.of_image(session, run_id, image).loss[2, 2] for image in range(12)]
    assert found == loss.tolist()


def test_answers_are_those_of_the_ordinary_forward_pass(run_id):
    net, images, labels = net_at_the_end(run_id)
    with evaluating(net):
        logits = net(images)
    with read_scope() as session:
        found = answers.answers(session, run_id)
        names = answers.class_names(session, run_id)
    assert found.recordings.tolist() == [0, 1, 2, 3, 4]
    assert found.labels.tolist() == labels.tolist()
    assert found.predicted[-1].tolist() == logits.argmax(1).tolist()
    assert found.loss[-1].tolist() == F.cross_entropy(logits, labels, reduction="none").tolist()
    assert names == {digit: str(digit) for digit in range(10)}


def test_image_functions_are_those_of_the_net(run_id):
    net, images, labels = net_at_the_end(run_id)
    expected = compare(capture_calls(net, images, labels, [2])[2]).cross.numpy()
    place = (run_id, Measure.CLOSENESS, Recorded.IMAGE_FUNCTION, 2)
    with read_scope() as session:
        matrix = statistics.pair_matrix(session, *place, 4)
        spread = statistics.distribution(session, *place)
        alone = statistics.self_similarity_of_images(session, run_id, Recorded.IMAGE_FUNCTION, 2)
    np.testing.assert_allclose(codec.to_pairs(matrix), codec.to_pairs(expected), atol=1e-6)
    assert spread.recordings.tolist() == [0, 1, 2, 3, 4]
    assert spread.mean[4] == pytest.approx(np.nanmean(codec.to_pairs(matrix)))
    assert alone.recordings.tolist() == [1, 2, 3, 4]
    assert (np.abs(alone.values) <= 1 + 1e-6).all()


def test_an_interrupted_run_stores_what_an_uninterrupted_one_does(run_id):
    whole = train(SPEC, interrupted=False)
    with read_scope() as session:
        for read in (
            lambda run: projections.mean_over_images(session, run),
            lambda run: two_times.mean_over_images(session, run, 2),
            lambda run: answers.answers(session, run),
            lambda run: statistics.self_similarity_of_images(session, run, Recorded.IMAGE_FUNCTION, 2),
        ):
            for one, other in zip(read(run_id), read(whole), strict=True):
                np.testing.assert_array_equal(one, other)
        ratios = early_to_mid.early_to_mid_of(session, [run_id, whole])
    assert ratios[run_id] == ratios[whole]
    assert ratios[whole][Quantity.PATH].complete
    assert ratios[whole][Quantity.PATH].over_layers.ratio > 0
