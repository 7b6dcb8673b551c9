"""Submitting, listing, cancelling and deleting over REST, on both databases."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from backend import artifacts
from backend.api.app import create_app
from backend.db import session_scope
from backend.services import leases
from tests.made_runs import make_run

pytestmark = pytest.mark.usefixtures("database")
SPEC = {"net": "alexnet", "dataset": "digits"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


def submit(client: TestClient, **spec: object) -> dict:
    answer = client.post("/api/v1/runs", json=SPEC | spec)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_submit_fills_in_defaults_and_says_where_the_run_is(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", json=SPEC)
    run = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/runs/{run['id']}"
    assert run["status"] == "queued"
    assert run["spec"]["lr_schedule"] == {"kind": "milestones", "milestones": [10, 15], "gamma": 0.1, "warm_up": 0.3}
    assert run["created_at"].endswith("Z")
    assert client.get(answer.headers["location"]).json() == run


def test_submit_twice_with_one_key_gives_one_run(client: TestClient) -> None:
    first, second = (client.post("/api/v1/runs", json=SPEC, headers={"Idempotency-Key": "a"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert len(client.get("/api/v1/runs").json()["runs"]) == 1


def test_submit_again_with_one_key_after_the_run_was_changed_gives_that_run(client: TestClient) -> None:
    first = client.post("/api/v1/runs", json=SPEC, headers={"Idempotency-Key": "a"}).json()
    client.post("/api/v1/runs/bulk", json={"ids": [first["id"]], "action": "prioritise", "priority": "high"})
    again = client.post("/api/v1/runs", json=SPEC, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["id"], again.json()["spec"]["priority"]) == (200, first["id"], "high")
    changed = client.post("/api/v1/runs", json=SPEC | {"priority": "high"}, headers={"Idempotency-Key": "a"})
    assert changed.status_code == 409, "it is compared with what was submitted"


def test_submit_with_a_used_key_and_another_spec_conflicts(client: TestClient) -> None:
    client.post("/api/v1/runs", json=SPEC, headers={"Idempotency-Key": "a"})
    answer = client.post("/api/v1/runs", json=SPEC | {"seed": 1}, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 409
    assert "another spec" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"colour": "red"}, "colour", "not permitted"),
        ({"net": "nonet"}, "net", "installed are alexnet, mlp"),
        ({"dataset": "../etc/passwd"}, "dataset", "offered are"),
        ({"dataset": "imagefolder:../../etc"}, "dataset", "offered are"),
        ({"epochs": "many"}, "epochs", "integer"),
        ({"epochs": 0}, "epochs", "greater than or equal to 1"),
        ({"optimiser": {"lr": -1}}, "optimiser.lr", "greater than 0"),
        ({"optimiser": {"momentum": 0}}, "optimiser.nesterov", "needs a momentum"),
        ({"epochs": 5, "lr_schedule": {"milestones": [5]}}, "lr_schedule", "before the last epoch"),
        ({"lr_schedule": {"milestones": [7, 3]}}, "lr_schedule.milestones", "increase"),
        ({"lr_schedule": {"kind": "cosine", "milestones": [3]}}, "lr_schedule.milestones", "has no milestones"),
        ({"lr_schedule": {"kind": "one_cycle", "milestones": [3]}}, "lr_schedule.milestones", "has no milestones"),
        ({"lr_schedule": {"kind": "one_cycle", "warm_up": 1}}, "lr_schedule.warm_up", "less than 1"),
        ({"label_smoothing": 1}, "label_smoothing", "less than 1"),
        ({"compile": True, "devices": 2}, "compile", "trained on one device"),
        ({"probe": {"count": 2000}}, "probe.count", "1437 training images"),
        ({"probe": {"indices": [1, 1]}}, "probe.indices", "repeated"),
        ({"probe": {"indices": [1, 5000]}}, "probe.indices", "0 to 1436"),
        ({"epochs": 2, "recordings": {"every_epochs": 3}}, "recordings", "more than the run's epochs"),
        ({"quantities": []}, "quantities", "at least 1"),
        ({"quantities": ["image_function"]}, "quantities", "choose path or activation as well"),
        ({"quantities": ["projection"]}, "quantities", "choose path as well"),
        ({"quantities": ["activation", "projection"]}, "quantities", "choose path as well"),
        ({"recordings": {"projection_every": 0}}, "recordings.projection_every", "greater than or equal to 1"),
        ({"tags": ["two words"]}, "tags.0", "match pattern"),
        ({"name": "a\0b"}, "name", "match pattern"),
    ],
)
def test_submit_of_a_bad_spec_names_the_field(client: TestClient, change: dict, field: str, said: str) -> None:
    answer = client.post("/api/v1/runs", json=SPEC | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert said in errors[field]
    assert client.get("/api/v1/runs").json()["runs"] == []


def test_submit_names_every_wrong_field_at_once(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", json={"net": 1, "dataset": "digits", "epochs": -1, "x": 2})
    assert {error["field"] for error in answer.json()["errors"]} == {"net", "epochs", "x"}


@pytest.mark.parametrize("body", ["{", "[]", "null", '"text"', '{"net": "mlp", "dataset": "digits", "seed": NaN}'])
def test_submit_of_a_body_that_is_no_spec_is_a_problem(client: TestClient, body: str) -> None:
    answer = client.post("/api/v1/runs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_submit_of_a_body_with_half_a_character_is_a_problem(client: TestClient) -> None:
    body = '{"net": "mlp", "dataset": "digits", "\\ud800": "\\ud800"}'
    answer = client.post("/api/v1/runs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_submit_of_ten_megabytes_is_refused(client: TestClient) -> None:
    answer = client.post("/api/v1/runs", content=b'{"notes": "' + b"x" * 10_000_000 + b'"}')
    assert answer.status_code == 413
    assert answer.json()["title"] == "Content Too Large"


def test_list_pages_through_all_runs_without_doubles(client: TestClient) -> None:
    made = [submit(client, name=f"run {n % 3}")["id"] for n in range(7)]
    for sort, expected in (("created_at", made), ("-created_at", made[::-1])):
        found, cursor = [], None
        while True:
            page = client.get(
                "/api/v1/runs", params={"limit": 3, "sort": sort} | ({"cursor": cursor} if cursor else {})
            )
            found += [run["id"] for run in page.json()["runs"]]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                break
        assert found == expected


def test_list_sorted_by_name_pages_through_equal_names(client: TestClient) -> None:
    for n in range(5):
        submit(client, name=f"run {n % 2}")
    first = client.get("/api/v1/runs", params={"limit": 2, "sort": "name"}).json()
    second = client.get("/api/v1/runs", params={"limit": 5, "sort": "name", "cursor": first["next_cursor"]}).json()
    names = [run["name"] for run in first["runs"] + second["runs"]]
    assert names == ["run 0"] * 3 + ["run 1"] * 2


def test_list_filters_combine(client: TestClient) -> None:
    wanted = submit(client, net="mlp", tags=["paper", "x"])["id"]
    submit(client, net="mlp")
    submit(client, tags=["paper"])
    query = {"net": "mlp", "tag": "paper", "status": "queued", "dataset": "digits"}
    assert [run["id"] for run in client.get("/api/v1/runs", params=query).json()["runs"]] == [wanted]
    assert client.get("/api/v1/runs", params=query | {"status": "failed"}).json()["runs"] == []


@pytest.mark.parametrize("query", ["cursor=zzz", "limit=0", "limit=1000", "sort=colour", "status=lost", "colour=red"])
def test_list_with_a_bad_query_names_the_parameter(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/v1/runs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.split("=")[0]


@pytest.mark.parametrize(("run_id", "status"), [("1", 404), ("9007199254740991", 404), ("0", 422), ("x", 404)])
def test_unknown_runs_are_not_found(client: TestClient, run_id: str, status: int) -> None:
    for call in ("", "/recordings", "/layers", "/images", "/images/0.png", "/log", "/events", "/cross-path?layer=1"):
        answer = client.get(f"/api/v1/runs/{run_id}{call}")
        assert answer.status_code == status, call
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.post(f"/api/v1/runs/{run_id}/cancel").status_code == status
    assert client.delete(f"/api/v1/runs/{run_id}").status_code == status


def test_cancel_of_a_queued_run_ends_it_at_once_and_twice_is_no_error(client: TestClient) -> None:
    run_id = submit(client)["id"]
    for _ in range(2):
        answer = client.post(f"/api/v1/runs/{run_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


def test_cancel_of_a_running_run_asks_its_trainer(client: TestClient) -> None:
    run_id = submit(client)["id"]
    with session_scope() as session:
        assert leases.claim(session, run_id, "tests@here") is not None
    answer = client.post(f"/api/v1/runs/{run_id}/cancel").json()
    assert (answer["status"], answer["cancel_requested"]) == ("running", True)
    assert client.delete(f"/api/v1/runs/{run_id}").status_code == 409


def test_cancel_of_a_completed_run_conflicts(client: TestClient) -> None:
    assert client.post(f"/api/v1/runs/{make_run().id}/cancel").status_code == 409


def test_delete_removes_a_finished_run_with_its_files(client: TestClient) -> None:
    run = make_run()
    assert artifacts.read_paths(run.id, 1, 0, 1) is not None
    assert client.delete(f"/api/v1/runs/{run.id}").status_code == 204
    assert client.get(f"/api/v1/runs/{run.id}").status_code == 404
    assert artifacts.read_paths(run.id, 1, 0, 1) is None


def test_unknown_paths_are_json_not_found(client: TestClient) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, "/api/v1/nothing/here")
        assert answer.status_code == 404
        assert answer.json()["status"] == 404


def test_catalogue_lists_what_a_run_may_name(client: TestClient) -> None:
    found = client.get("/api/v1/catalogue").json()
    nets = {net["name"] for net in found["nets"]}
    assert {net for net in nets if ":" not in net} == {"alexnet", "mlp", "resnet18", "vgg19", "vgg19_bn"}
    assert "torchvision:resnet50" in nets
    assert {dataset["name"] for dataset in found["datasets"]} == {"digits", "cifar10", "cifar100", "fashion_mnist"}
    assert found["defaults"]["epochs"] == 20


def test_ready_only_with_a_worker(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "no worker is running" in answer.json()["workers"]
    assert answer.json()["database"] == answer.json()["broker"] == "ok"


def test_the_api_document_and_its_page_need_no_other_host(client: TestClient) -> None:
    assert "/api/v1/runs/{run_id}/cross-path" in client.get("/api/openapi.json").json()["paths"]
    page = client.get("/api/docs").text
    assert "https://" not in page
    assert client.get("/api/static/swagger-ui-bundle.js").status_code == 200
