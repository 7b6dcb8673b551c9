"""What a run states that it will store, against what a real one does."""

import pytest
import torch

from backend.codec import encode, to_pairs
from backend.estimate import SUMMARY_BYTES, run_size
from backend.schemas import RunSpec
from worker.data import Data
from worker.datasets import load_data
from worker.kernels.distance import pixel_distances
from worker.measures import Measures
from worker.nets import build_net
from worker.probes import thumbnail
from worker.recorder import capture
from worker.training import Training


@pytest.mark.parametrize(("net", "images"), [("alexnet", 1437), ("resnet18", 300)])
def test_stated_size_is_within_a_fifth_of_what_is_stored(net, images, tmp_path):
    data = load_data("digits", tmp_path)
    few = Data.of(
        (data.train_images[:images], data.train_labels[:images]), (data.test_images, data.test_labels), data.class_names
    )
    spec = RunSpec(net=net, dataset="digits", epochs=4, probe={"count": 128})
    run = Training(build_net(net, data.input_shape, 10), few, spec, torch.device("cpu"))
    measures, stored = Measures(spec.compared), 0
    for step in run:
        if step.due:
            found = measures.step(capture(run.net, run.probe_images(torch.arange(128))))
            stored += sum(len(encode(one.values)) + (SUMMARY_BYTES if one.summary else 0) for one in found)
            stored += sum(len(encode(paths)) for paths in measures.paths)
    size = run_size(spec)
    assert size.recording_bytes * size.recordings == pytest.approx(stored, rel=0.2)
    probed = few.train_images[:128]
    distances = to_pairs(pixel_distances(probed).numpy()).astype("float32")
    around = len(encode(distances)) + sum(len(thumbnail(image)) for image in probed)
    assert size.total_bytes - size.recording_bytes * size.recordings == pytest.approx(around, rel=0.05)
    assert size.total_bytes == pytest.approx(stored + around, rel=0.2)
