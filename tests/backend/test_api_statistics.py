"""What is read of a run over REST, against what was written, on both databases."""

import io
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import numpy as np
import pytest
from fastapi.testclient import TestClient

from backend import codec
from backend.api.app import create_app
from backend.schemas import Measure
from tests.made_runs import PNG, MadeRun, make_run


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.fixture
def run(database: str) -> MadeRun:
    return make_run()


def get(client: TestClient, run: MadeRun, call: str) -> dict:
    answer = client.get(f"/api/v1/runs/{run.id}/{call}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(rows: list) -> np.ndarray:
    """JSON with null as an array with NaN."""
    return np.array(rows, dtype=float)


def test_recordings_layers_and_images_are_as_written(client: TestClient, run: MadeRun) -> None:
    recordings = get(client, run, "recordings")
    assert [recording["t"] for recording in recordings] == [0, 1, 2, 3]
    assert recordings[0]["train_loss"] is None
    assert recordings[2]["train_loss"] == 0.5
    assert [layer["k"] for layer in get(client, run, "layers")] == [1, 2]
    assert get(client, run, "images")[4] == {"i": 4, "dataset_index": 40, "label": 1, "class_name": "class 1"}
    assert client.get(f"/api/v1/runs/{run.id}/images/4.png").content == PNG
    assert client.get(f"/api/v1/runs/{run.id}/images/99.png").status_code == 404


def test_paths_unpack_to_what_was_on(client: TestClient, run: MadeRun) -> None:
    answer = client.get(f"/api/v1/runs/{run.id}/paths?layer=2&recording=3")
    packed = np.load(io.BytesIO(answer.content))
    unpacked = np.unpackbits(packed, axis=1, count=11, bitorder="little").astype(bool)
    np.testing.assert_array_equal(unpacked, run.paths[2, 3])


def test_cross_path_distribution_counts_the_undefined(client: TestClient, run: MadeRun) -> None:
    found = get(client, run, "cross-path?layer=1")
    values = run.arrays[Measure.CROSS_PATH, 1, 1].astype(float)
    assert found["recordings"] == [1, 2, 3]
    assert found["undefined"] == [1, 0, 0]
    assert found["defined"] == [27, 28, 28]
    assert found["mean"][0] == pytest.approx(np.nanmean(values))
    assert found["quantiles"][0][4] == pytest.approx(np.nanmedian(values))
    assert sum(found["histogram"][0]) == 27


def test_cross_path_at_a_recording_is_the_matrix(client: TestClient, run: MadeRun) -> None:
    matrix = numbers(get(client, run, "cross-path?layer=1&recording=1")["values"])
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(codec.to_pairs(matrix), run.arrays[Measure.CROSS_PATH, 1, 1], rtol=1e-6)
    assert np.isnan(np.diag(matrix)).all()


def test_cross_path_of_an_image_is_its_row_over_training(client: TestClient, run: MadeRun) -> None:
    matrices = [numbers(get(client, run, f"cross-path?layer=2&recording={t}")["values"]) for t in (1, 2, 3)]
    rows = get(client, run, "cross-path?layer=2&image=5")
    np.testing.assert_array_equal(numbers(rows["values"]), [matrix[5] for matrix in matrices])
    pair = get(client, run, "cross-path?layer=2&image=5&other=2")
    np.testing.assert_array_equal(numbers(pair["values"]), [matrix[5, 2] for matrix in matrices])
    one = get(client, run, "cross-path?layer=2&image=5&other=2&recording=3")
    assert one["values"] == matrices[2][5, 2]


def test_self_similarity_in_its_three_forms(client: TestClient, run: MadeRun) -> None:
    written = [run.arrays[Measure.SELF_SIMILARITY, 1, t] for t in (1, 2, 3)]
    spread = get(client, run, "self-similarity?layer=1")
    np.testing.assert_allclose(spread["mean"], [values.astype(float).mean() for values in written])
    at = get(client, run, "self-similarity?layer=1&recording=2")
    np.testing.assert_allclose(at["values"], written[1], rtol=1e-6)
    of = get(client, run, "self-similarity?layer=1&image=3")
    np.testing.assert_allclose(of["values"], [values[3] for values in written], rtol=1e-6)


def test_neighbours_are_ranked_by_overlap_with_ties_to_the_smaller_index(client: TestClient, run: MadeRun) -> None:
    found = get(client, run, "neighbours?layer=1&image=3&k=4")
    for t in range(4):
        counts = run.paths[1, t].astype(int)
        overlap = counts @ counts[3]
        order = sorted((j for j in range(8) if j != 3), key=lambda j: (-overlap[j], j))
        assert found["nearest"][t] == order[:4]
        assert [found["ranks"][t][j] for j in order] == list(range(7))
        assert found["ranks"][t][3] is None
        assert found["closeness"][t][order[0]] == overlap[order[0]]
        matrix = get(client, run, f"neighbours?layer=1&recording={t}&k=4")
        assert matrix["ranks"][3] == found["ranks"][t]
        assert matrix["nearest"][3] == order[:4]


def test_neighbours_churn_is_the_share_of_new_ones(client: TestClient, run: MadeRun) -> None:
    all_churn = []
    for image in range(8):
        found = get(client, run, f"neighbours?layer=1&image={image}&k=3")
        assert found["churn"][0] is None
        sets = [set(nearest) for nearest in found["nearest"]]
        expected = [len(new - old) / 3 for old, new in itertools.pairwise(sets)]
        assert found["churn"][1:] == pytest.approx(expected)
        all_churn.append(expected)
    spread = get(client, run, "neighbours?layer=1&k=3")
    assert spread["recordings"] == [1, 2, 3]
    np.testing.assert_allclose(spread["mean"], np.mean(all_churn, axis=0))


def test_label_agreement_is_the_share_of_the_nearest_with_the_same_label(client: TestClient, run: MadeRun) -> None:
    labels = [image["label"] for image in get(client, run, "images")]
    all_agreements = []
    for image in range(8):
        found = get(client, run, f"neighbours?layer=1&image={image}&k=3")
        expected = [sum(labels[j] == labels[image] for j in nearest) / 3 for nearest in found["nearest"]]
        assert found["label_agreement"] == pytest.approx(expected)
        all_agreements.append(expected)
    spread = get(client, run, "neighbours?layer=1&k=3&spread=label_agreement")
    assert spread["recordings"] == [0, 1, 2, 3]
    np.testing.assert_allclose(spread["mean"], np.mean(all_agreements, axis=0))
    assert spread["defined"] == [8] * 4


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("of", ["churn", "label_agreement"])
def test_neighbours_of_a_run_with_hardly_a_recording_are_spread_over_none(
    client: TestClient, database: str, count: int, of: str
) -> None:
    run = make_run(count=count)
    spread = get(client, run, f"neighbours?layer=1&spread={of}")
    assert spread["recordings"] == ([0] if (count, of) == (1, "label_agreement") else [])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("cross-path?layer=3", "layers 1 to 2"),
        ("cross-path?layer=1&quantity=activation", "records path"),
        ("cross-path?layer=1&recording=0", "recordings 1 to 3"),
        ("cross-path?layer=1&recording=4", "recordings 1 to 3"),
        ("cross-path?layer=1&image=8", "probe images 0 to 7"),
        ("cross-path?layer=1&image=1&other=8", "probe images 0 to 7"),
        ("self-similarity?layer=1&recording=9", "recordings 1 to 3"),
        ("self-similarity?layer=1&image=9", "probe images 0 to 7"),
        ("neighbours?layer=1&recording=9", "recordings 0 to 3"),
        ("paths?layer=9&recording=0", "layers 1 to 2"),
        ("paths?layer=1&recording=9", "recordings 0 to 3"),
    ],
)
def test_what_does_not_exist_is_answered_by_what_does(client: TestClient, run: MadeRun, call: str, said: str) -> None:
    answer = client.get(f"/api/v1/runs/{run.id}/{call}")
    assert answer.status_code == 404
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ("cross-path", "layer"),
        ("cross-path?layer=0", "layer"),
        ("cross-path?layer=1&quantity=weight", "quantity"),
        ("cross-path?layer=1&other=1", "other"),
        ("cross-path?layer=1&image=1&other=1", "other"),
        ("self-similarity?layer=1&other=1", "other"),
        ("neighbours?layer=1&k=0", "k"),
        ("neighbours?layer=1&spread=ranks", "spread"),
        ("paths?layer=1", "recording"),
        ("log?after=-1", "after"),
    ],
)
def test_a_bad_query_names_the_parameter(client: TestClient, run: MadeRun, call: str, field: str) -> None:
    answer = client.get(f"/api/v1/runs/{run.id}/{call}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_events_tell_everything_and_go_on_after_the_last_one_known(client: TestClient, run: MadeRun) -> None:
    url = f"/api/v1/runs/{run.id}/events"
    blocks = client.get(url).text.strip().split("\n\n")
    kinds = [block.split("\n")[0] for block in blocks]
    assert kinds == ["event: status"] * 2 + ["event: recording"] * 4 + ["event: status"]
    assert [f"id: {number}" in block for number, block in enumerate(blocks, start=1)] == [True] * 7
    assert client.get(url, headers={"Last-Event-ID": "5"}).text.strip().split("\n\n") == blocks[5:]
    assert client.get(url, headers={"Last-Event-ID": "7"}).status_code == 204
    assert client.get(url, headers={"Last-Event-ID": "x"}).status_code == 422


@pytest.mark.parametrize(("seconds", "told"), [(-60, True), (60, False), (None, True)])
def test_a_dashboard_first_hears_what_changed_since_its_page_was_made(
    client: TestClient, run: MadeRun, seconds: float | None, told: bool
) -> None:
    ages_ago = datetime(1, 1, 1, tzinfo=UTC)
    since = ages_ago if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    with client.websocket_connect(f"/api/v1/live?{urlencode({'since': since.isoformat()})}") as socket:
        assert socket.receive_json() == {"runs": [run.id] if told else []}
