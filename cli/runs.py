"""`pathscope runs`, `show` and `cancel`."""

from typing import Any

from backend.schemas import RecordingOut, RunOut, RunPage, RunStatus
from cli.client import Server
from cli.console import out, say
from cli.tables import recordings_table, run_details, runs_table


def list_runs(server: Server, query: dict[str, Any], as_json: bool) -> None:
    answer = server.get("/runs", query)
    if as_json:
        out.print_json(data=answer)
        return
    page = RunPage.model_validate(answer)
    if not page.runs:
        say(
            "No run fits."
            if query.keys() - {"sort", "limit"}
            else "There is no run yet; see `pathscope submit --help`."
        )
        return
    out.print(runs_table(page.runs))
    if page.next_cursor:
        say(f"There are more: --cursor '{page.next_cursor}'")


def show(server: Server, run_id: int, as_json: bool) -> None:
    answer = server.get(f"/runs/{run_id}")
    if as_json:
        out.print_json(data=answer)
        return
    out.print(run_details(RunOut.model_validate(answer)))
    recordings = [RecordingOut.model_validate(row) for row in server.get(f"/runs/{run_id}/recordings")]
    if recordings:
        out.print()
        out.print(recordings_table(recordings))


def cancel(server: Server, run_id: int) -> None:
    run = RunOut.model_validate(server.post(f"/runs/{run_id}/cancel"))
    say(f"Run {run_id} {'is cancelled' if run.status is RunStatus.CANCELLED else 'will stop shortly'}.")
