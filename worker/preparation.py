"""What comes before the first step: the device, the other processes, the data and the net."""

import logging

from backend.schemas import RunSpec
from backend.settings import settings
from worker.data import Dataset
from worker.datasets import load_data
from worker.nets import build_net
from worker.share import Share
from worker.training import Training, choose_device

log = logging.getLogger("pathscope.trainer")


def prepare(spec: RunSpec, share: Share) -> tuple[Dataset, Training]:
    """The data, and training at its beginning. Raises DatasetUnavailable and ValueError.

    Several processes meet here; the first one downloads what is missing, the others wait for it.
    """
    device = choose_device(spec.device, share)
    if not share.alone:
        share.join(device)
    if share.rank:
        share.wait()
    else:
        log.info("loading %s", spec.dataset)
    data = load_data(spec.dataset, settings().data_folder)
    if not share.rank:
        share.wait()
    net = build_net(spec.net, data.input_shape, len(data.class_names), spec.seed)
    return data, Training(net, data, spec, device, share)
