import pytest
from fastapi.testclient import TestClient

from backend import estimate
from backend.api.app import create_app
from backend.estimate import run_size, size_stated
from backend.plugins import NetEntry
from backend.schemas import RunSpec


def size_of(**spec):
    return run_size(RunSpec(**({"net": "resnet18", "dataset": "cifar10", "epochs": 100} | spec)))


def test_size_follows_from_net_data_probe_and_recordings(home):
    size = size_of()
    assert (size.recordings, size.layers, size.units) == (101, 17, 557_056)
    assert 1.5e9 < size.total_bytes < 2.2e9
    assert size_stated(size) == "It stores about 1.8 GB in 101 recordings, and 179 MB of checkpoints."
    assert size_of(probe={"count": 128}).total_bytes < size.total_bytes / 2
    kept = {kept: size_of(paths=kept).total_bytes for kept in ("all", "last", "none")}
    assert size.checkpoint_bytes == 2 * 8 * 11_173_962
    assert kept["all"] > 2 * kept["last"] > 2 * kept["none"]
    assert size_of(quantities=["activation"]).total_bytes < size.total_bytes / 4


@pytest.mark.parametrize(
    ("spec", "recordings"),
    [({"epochs": 7, "recordings": {"every_epochs": 3}}, 4), ({"epochs": 2, "recordings": {"log_spaced": 200}}, 203)],
)
def test_recordings_are_counted_as_the_trainer_makes_them(home, spec, recordings):
    assert size_of(**spec).recordings == recordings
    whole = size_of(dataset="digits", epochs=1, batch_size=1437, recordings={"log_spaced": 50}, net="mlp")
    assert whole.recordings == 2


def test_size_of_an_unknown_net_is_not_stated(home, monkeypatch):
    entry = NetEntry(name="mlp", title="", description="", build="nowhere:nothing")
    monkeypatch.setattr(estimate, "net_entries", lambda: {"mlp": entry})
    size = size_of(net="mlp", dataset="digits", epochs=3)
    assert size.total_bytes is None
    assert size_stated(size) == "It stores 4 recordings; how large they are is known only once it runs."


def test_estimate_is_served_and_queues_nothing(home):
    with TestClient(create_app()) as client:
        found = client.post("/api/v1/estimate", json={"net": "resnet18", "dataset": "digits", "epochs": 2})
        assert found.status_code == 200
        assert found.json()["units"] == 34_816
        refused = client.post("/api/v1/estimate", json={"net": "lenet", "dataset": "digits"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "net")
        assert client.get("/api/v1/runs").json()["runs"] == []
