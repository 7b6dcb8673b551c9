"""`pathscope pause`, `activate`, `retry`, `delete`, `extend`, `workers`, `queue` and `gc`."""

from rich.table import Table
from rich.text import Text

from backend.machines import MachineLoad, QueuedRun, WorkerOut
from backend.schemas import RunOut, RunStatus
from cli.client import Server
from cli.console import out, say
from cli.tables import moment, percent


def command(server: Server, run_id: int, name: str) -> None:
    """Ask for it and say what became of the run."""
    if name == "delete":
        server.delete(f"/runs/{run_id}")
        say(f"Run {run_id} is deleted.")
        return
    run = RunOut.model_validate(server.post(f"/runs/{run_id}/{name}"))
    pausing = run.pause_requested and run.status is RunStatus.RUNNING
    say(f"Run {run_id} will pause after the step at work." if pausing else f"Run {run_id} is {run.status}.")


def extend(server: Server, run_id: int, epochs: int) -> None:
    run = RunOut.model_validate(server.post(f"/runs/{run_id}/extend", {"epochs": epochs}))
    say(f"Run {run_id} is {run.status}, to be trained up to epoch {run.spec.epochs}.")


def list_workers(server: Server, as_json: bool) -> None:
    answer = server.get("/workers")
    if as_json:
        out.print_json(data=answer)
        return
    found = [WorkerOut.model_validate(one) for one in answer]
    if not found:
        say("No worker is running; start one with `pathscope worker`.")
        return
    table = _table("Name", "Host", "Device", "Busy", "Memory", "Trains", "Last heard of")
    for worker in found:
        busy, memory = _load(worker.load)
        runs = ", ".join(f"run {run.id}" for run in worker.runs) or "-"
        heard = moment(worker.heartbeat_at) if worker.alive else f"{moment(worker.heartbeat_at)} (silent)"
        table.add_row(worker.name, worker.host, worker.device, busy, memory, runs, heard)
    out.print(table)


def list_queue(server: Server, as_json: bool) -> None:
    answer = server.get("/queue")
    if as_json:
        out.print_json(data=answer)
        return
    if not answer:
        say("No run waits.")
        return
    table = _table("Place", "Run", "Name", "Priority", "Device", "Why it waits")
    for run in [QueuedRun.model_validate(one) for one in answer]:
        table.add_row(str(run.position), str(run.id), Text(run.name), run.priority, run.device, run.why)
    out.print(table)


def remove_orphans(dry_run: bool) -> None:
    from backend.db import read_scope
    from backend.services import orphans
    from cli import checks

    checks.check_database()
    checks.check_migrated()
    with read_scope() as session:
        found = orphans.find(session)
    if not dry_run:
        orphans.remove(found.gone)
    did = "would be removed" if dry_run else "are removed"
    say(f"Files of {len(found.gone)} deleted runs {did}{_listed(found.gone)}.")
    if found.unknown:
        say(f"Left alone are files of runs newer than any in this database{_listed(found.unknown)}.")


def _listed(run_ids: list[int]) -> str:
    more = f" and {len(run_ids) - 10} more" if len(run_ids) > 10 else ""
    return f": {', '.join(map(str, run_ids[:10]))}{more}" if run_ids else ""


def _load(load: MachineLoad | None) -> tuple[str, str]:
    """How busy, and how much of the memory is used: of the GPUs where there are any, else of the CPU."""
    if load is None:
        return "-", "-"
    parts = [(gpu.utilisation, gpu.memory_used, gpu.memory_total) for gpu in load.gpus]
    parts = parts or [(load.utilisation, load.memory_used, load.memory_total)]
    busy = ", ".join(percent(share) for share, _, _ in parts)
    memory = ", ".join(f"{(used or 0) / 2**30:.1f} of {(total or 0) / 2**30:.1f} GiB" for _, used, total in parts)
    return busy, memory


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
