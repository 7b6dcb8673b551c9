"""What can be done to a run in each state, over REST on both databases, against a table written out here."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from backend import artifacts
from backend.api.app import create_app
from backend.db import read_scope, session_scope
from backend.machines import MachineLoad
from backend.models import Run, now
from backend.run_states import RunCommand
from backend.schemas import RunStatus
from backend.services import leases, orphans, workers
from tests.made_runs import make_run

pytestmark = pytest.mark.usefixtures("database")
SPEC = {"net": "mlp", "dataset": "digits"}
LOAD = MachineLoad(cores=2, utilisation=0, memory_used=0, memory_total=1)

# state → what each command makes of it; a command that is not named is refused
AFTER = {
    "queued": {"pause": "paused", "cancel": "cancelled", "activate": "queued"},
    "running": {"pause": "running", "cancel": "running"},
    "pausing": {"pause": "running", "activate": "running", "cancel": "running"},
    "cancelling": {"cancel": "running"},
    "paused": {"activate": "queued", "cancel": "cancelled", "pause": "paused"},
    "completed": {"extend": "queued", "delete": "gone"},
    "failed": {"retry": "queued", "delete": "gone"},
    "cancelled": {"retry": "queued", "delete": "gone", "cancel": "cancelled"},
}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), base_url="http://127.0.0.1:8000") as client:
        yield client


def submit(client: TestClient, **spec: object) -> int:
    answer = client.post("/api/v1/runs", json=SPEC | spec)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def claim(run_id: int) -> leases.Lease:
    with session_scope() as session:
        lease = leases.claim(session, run_id, "tests@here")
        assert lease is not None
        return lease


def ask(client: TestClient, run_id: int, command: str) -> tuple[int, dict]:
    if command == "delete":
        answer = client.delete(f"/api/v1/runs/{run_id}")
        return answer.status_code, answer.json() if answer.content else {"status": "gone"}
    body = {"epochs": 40} if command == "extend" else None
    answer = client.post(f"/api/v1/runs/{run_id}/{command}", json=body)
    return answer.status_code, answer.json()


def in_state(client: TestClient, state: str) -> int:
    run_id = submit(client)
    if state in ("running", "pausing", "cancelling", "completed", "failed"):
        lease = claim(run_id)
    if state in ("pausing", "cancelling"):
        ask(client, run_id, {"pausing": "pause", "cancelling": "cancel"}[state])
    if state in ("paused", "cancelled"):
        ask(client, run_id, {"paused": "pause", "cancelled": "cancel"}[state])
    if state in ("completed", "failed"):
        with session_scope() as session:
            leases.end(session, lease, RunStatus(state))
    return run_id


@pytest.mark.parametrize("state", AFTER)
def test_each_command_in_each_state_does_what_the_table_says_or_is_refused(client: TestClient, state: str) -> None:
    for command in RunCommand:
        run_id = in_state(client, state)
        offered = client.get(f"/api/v1/runs/{run_id}").json()["possible"]
        status, answer = ask(client, run_id, command)
        if command in AFTER[state]:
            assert (status, answer["status"]) == (204 if command == "delete" else 200, AFTER[state][command]), command
        else:
            assert status == 409, command
            assert f"run {run_id} is {state}, so {command} is not possible" in answer["detail"]
            assert all(choice in answer["detail"] for choice in offered)
            assert command not in offered


def test_a_trainer_that_stops_leaves_its_run_as_was_asked_last(client: TestClient) -> None:
    for asked, status in ((["pause"], "paused"), (["pause", "activate"], "queued"), (["pause", "cancel"], "cancelled")):
        run_id = submit(client)
        lease = claim(run_id)
        for command in asked:
            ask(client, run_id, command)
        with session_scope() as session:
            leases.give_back(session, lease)
        run = client.get(f"/api/v1/runs/{run_id}").json()
        assert (run["status"], run["worker"] is None, run["lost_attempts"]) == (status, status != "cancelled", 0)


def test_retry_counts_lost_attempts_from_0_and_forgets_the_reason(client: TestClient) -> None:
    run_id = submit(client)
    for _ in range(3):
        lease = claim(run_id)
        with session_scope() as session:
            leases.lose(session, lease, "it was killed")
    assert client.get(f"/api/v1/runs/{run_id}").json()["status"] == "failed"
    run = client.post(f"/api/v1/runs/{run_id}/retry").json()
    assert (run["status"], run["lost_attempts"], run["reason"], run["finished_at"]) == ("queued", 0, None, None)


@pytest.mark.parametrize(
    ("spec", "epochs", "field", "said"),
    [
        ({"epochs": 6}, 6, "epochs", "has 6 epochs already"),
        ({"epochs": 6, "lr_schedule": {"kind": "cosine"}}, 8, "lr_schedule.kind", "clone the run"),
        ({"epochs": 6, "lr_schedule": {"kind": "one_cycle"}}, 8, "lr_schedule.kind", "a one_cycle falls"),
        ({"epochs": 6, "paths": "last"}, 8, "paths", "paths: all"),
        ({"epochs": 6}, 20_000, "epochs", "less than or equal to 10000"),
    ],
)
def test_extend_names_what_does_not_allow_it(
    client: TestClient, spec: dict, epochs: int, field: str, said: str
) -> None:
    answer = client.post(f"/api/v1/runs/{make_run(**spec).id}/extend", json={"epochs": epochs})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert said in answer.json()["errors"][0]["message"]


def test_extend_keeps_milestones_and_opens_the_ratio_again(client: TestClient) -> None:
    run = make_run(count=4, epochs=4)
    assert client.post(f"/api/v1/runs/{run.id}/extend", json={"epochs": 9}).status_code == 200
    spec = client.get(f"/api/v1/runs/{run.id}").json()["spec"]
    assert (spec["epochs"], spec["lr_schedule"]["milestones"]) == (9, [2, 3])


def test_the_best_run_is_claimed_whatever_the_worker_was_woken_for(client: TestClient) -> None:
    low = submit(client, priority="low")
    cuda = submit(client, priority="high", device="cuda")
    first, second = submit(client), submit(client, device="cpu")
    high = submit(client, priority="high")
    taken = []
    with session_scope() as session:
        while (lease := leases.claim_next(session, low, "w", _machine())) is not None:
            taken.append(lease.run_id)
    assert taken == [high, first, second, low]
    with session_scope() as session:
        lease = leases.claim_next(session, low, "w", _machine(gpus=1))
        assert lease is not None
        assert lease.run_id == cuda


def test_a_run_on_several_gpus_waits_for_a_worker_that_has_as_many(client: TestClient) -> None:
    several = submit(client, priority="high", device="cuda", devices=3)
    auto, processes = submit(client, devices=2), submit(client, device="cpu", devices=4)
    with session_scope() as session:
        workers.report_worker(session, "two@here", _machine(gpus=2), LOAD, now())
    queue = client.get("/api/v1/queue").json()
    assert [(run["devices"], run["why"]) for run in queue] == [
        (3, "no worker with 3 CUDA GPUs is running"),
        (2, "about to start"),
        (4, "1 run before it"),
    ]
    taken = []
    with session_scope() as session:
        while (lease := leases.claim_next(session, several, "two@here", _machine(gpus=2))) is not None:
            taken.append(lease.run_id)
    assert taken == [auto, processes]
    with session_scope() as session:
        lease = leases.claim_next(session, several, "three@here", _machine(gpus=3))
        assert lease is not None
        assert lease.run_id == several


def _machine(gpus: int = 0) -> workers.Machine:
    return workers.Machine("here", "made", max(gpus, 1), has_gpu=bool(gpus))


def test_the_queue_says_in_which_order_and_why_each_run_waits(client: TestClient) -> None:
    submit(client, priority="low")
    submit(client, device="cuda")
    submit(client)
    queue = client.get("/api/v1/queue").json()
    assert [(run["position"], run["id"]) for run in queue] == [(1, 2), (2, 3), (3, 1)]
    assert {run["why"] for run in queue} == {"no worker is running"}


def test_bulk_does_all_or_nothing(client: TestClient) -> None:
    waiting, ended = submit(client), make_run().id
    body = {"ids": [waiting, ended], "action": "cancel"}
    answer = client.post("/api/v1/runs/bulk", json=body)
    assert answer.status_code == 409
    assert f"run {ended} is completed" in answer.json()["detail"]
    assert client.get(f"/api/v1/runs/{waiting}").json()["status"] == "queued"
    body = {"ids": [waiting, ended], "action": "tag", "tags": ["paper"]}
    assert [sorted(run["tags"]) for run in client.post("/api/v1/runs/bulk", json=body).json()["runs"]] == [
        ["paper"]
    ] * 2
    assert len(client.get("/api/v1/runs", params={"tag": "paper"}).json()["runs"]) == 2
    client.post("/api/v1/runs/bulk", json={"ids": [ended], "action": "untag", "tags": ["paper"]})
    assert [run["id"] for run in client.get("/api/v1/runs", params={"tag": "paper"}).json()["runs"]] == [waiting]
    prioritised = client.post("/api/v1/runs/bulk", json={"ids": [waiting], "action": "prioritise", "priority": "high"})
    assert prioritised.json()["runs"][0]["spec"]["priority"] == "high"
    with read_scope() as session:
        assert session.get_one(Run, waiting).priority == 1
    assert client.post("/api/v1/runs/bulk", json={"ids": [ended], "action": "delete"}).json() == {"runs": []}


def test_files_of_deleted_runs_are_found_and_those_of_newer_runs_left_alone(client: TestClient) -> None:
    gone, kept = make_run(images=2, count=1).id, make_run(images=2, count=1).id
    client.delete(f"/api/v1/runs/{gone}")
    for run_id in (gone, kept + 5):
        artifacts.write_image(run_id, 0, b"left behind")
    with read_scope() as session:
        assert orphans.find(session) == ([gone], [kept + 5])
    orphans.remove([gone])
    assert artifacts.list_runs() == [kept, kept + 5]
