"""The workers, how busy their machines are and what they train, and the queue of runs before them.

In the queue a run is cancelled, or gets another priority, by the browser over REST (assets/queue.js).
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from backend.db import read_scope
from backend.machines import GpuLoad, MachineLoad, QueuedRun, WorkerOut
from backend.schemas import Priority
from backend.services import workers
from frontend.components.icons import icon
from frontend.components.panel import attributes
from frontend.components.run_status import duration_text
from frontend.live import Tick

PATH_TEMPLATE = "/workers"
TITLE = "Workers and queue"


def layout(**_query: str) -> Component:
    return html.Div(
        [
            dmc.Group(
                [
                    dmc.Title("Workers and queue", order=1, size="h2"),
                    dmc.Anchor("Webhooks: tell an address when runs end", href="/webhooks", id="workers-webhooks"),
                ],
                justify="space-between",
                mb="sm",
            ),
            dcc.Interval(id="workers-interval", interval=2000),
            html.Div(_content(), id="workers-content"),
        ]
    )


def register(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("workers-content", "children"),
        Input("workers-interval", "n_intervals"),
        Input("live", "data"),
        prevent_initial_call=True,
    )
    async def show(_intervals: int | None, _tick: Tick) -> list[Component]:
        return await asyncio.to_thread(_content)


def _content() -> list[Component]:
    with read_scope() as session:
        found, queue = workers.list_workers(session), workers.list_queue(session)
    return [
        dmc.SimpleGrid([_worker(one) for one in found], cols={"base": 1, "md": 2, "xl": 3})
        if found
        else dmc.Alert(
            ["Runs wait until one starts. On the machine that is to train: ", dmc.Code("pathscope worker")],
            title="No worker is running",
            color="orange",
            variant="light",
            id="no-worker",
        ),
        dmc.Title(f"Queue ({len(queue)})", order=2, size="h3", mt="lg", mb="xs"),
        _queue(queue) if queue else dmc.Text("No run waits.", c="dimmed", id="queue-empty"),
    ]


def _worker(worker: WorkerOut) -> Component:
    badge = dmc.Badge(
        "lives" if worker.alive else "silent",
        color="teal" if worker.alive else "orange",
        variant="light",
        leftSection=icon("check" if worker.alive else "warning", size=12),
        tt="none",
    )
    runs = [_link(run.name, run.id) for run in worker.runs]
    trains = [html.Span(["Trains ", *_separated(runs)])] if runs else [html.Span("Waits for a run", className="dimmed")]
    heard = duration_text((datetime.now(UTC) - worker.heartbeat_at).total_seconds())
    return dmc.Paper(
        dmc.Stack(
            [
                dmc.Group([dmc.Text(worker.name, fw=600), badge], justify="space-between"),
                dmc.Text(f"{worker.device} · on {worker.host} · last heard of {heard} ago", size="sm", c="dimmed"),
                *(_load(worker.load) if worker.load else []),
                dmc.Text(trains, size="sm"),
            ],
            gap="xs",
        ),
        withBorder=True,
        p="md",
        className="worker",
    )


def _link(name: str, run_id: int) -> Component:
    return dmc.Anchor(name, href=f"/runs/{run_id}", size="sm")


def _separated(parts: Sequence[Component]) -> list[Component | str]:
    return [piece for part in parts for piece in (", ", part)][1:]


def _load(load: MachineLoad) -> list[Component]:
    return [
        *[meter for gpu in load.gpus for meter in _gpu(gpu)],
        _meter(f"{load.cores} cores", load.utilisation, f"{load.utilisation:.0%}"),
        _meter("Memory", load.memory_used / load.memory_total, _bytes_of(load.memory_used, load.memory_total)),
    ]


def _gpu(gpu: GpuLoad) -> list[Component]:
    """A meter for what the driver tells."""
    meters = []
    if gpu.utilisation is not None:
        meters.append(_meter(gpu.name, gpu.utilisation, f"{gpu.utilisation:.0%}"))
    if gpu.memory_used is not None and gpu.memory_total:
        used = _bytes_of(gpu.memory_used, gpu.memory_total)
        meters.append(_meter("GPU memory", gpu.memory_used / gpu.memory_total, used))
    return meters


def _meter(label: str, share: float, said: str) -> Component:
    return html.Div(
        [
            dmc.Group([dmc.Text(label, size="xs"), dmc.Text(said, size="xs", c="dimmed")], justify="space-between"),
            dmc.Progress(value=100 * share, size="sm", **{"aria-label": f"{label}: {said}"}),
        ]
    )


def _bytes_of(used: int, total: int) -> str:
    return f"{used / 2**30:.1f} of {total / 2**30:.1f} GiB"


def _device(run: QueuedRun) -> str:
    kind = {"auto": "any", "cpu": "CPU", "cuda": "GPU (CUDA)"}[run.device]
    return kind if run.devices == 1 else f"{run.devices} × {kind}"


def _priorities(run: QueuedRun) -> Component:
    """A button for each, that of the run pressed; who may only read sees that one alone."""
    buttons = [
        html.Button(
            priority.value,
            id=f"queue-{run.id}-{priority}",
            **attributes(
                {
                    "data-queue-action": "prioritise",
                    "data-queue-run": str(run.id),
                    "data-queue-priority": priority.value,
                    "aria-pressed": "true" if priority is run.priority else "false",
                }
            ),
        )
        for priority in Priority
    ]
    named = attributes({"aria-label": f"Priority of {run.name}"})
    return html.Div(buttons, className="option queue-priority", role="group", **named)


def _cancel(run: QueuedRun) -> Component:
    data = {"data-queue-action": "cancel", "data-queue-run": str(run.id), "aria-label": f"Cancel {run.name}"}
    return html.Button([icon("stop", size=12), "Cancel"], id=f"queue-{run.id}-cancel", **attributes(data))


def _queue(queue: list[QueuedRun]) -> Component:
    rows = [
        dmc.TableTr(
            [
                dmc.TableTd(str(run.position)),
                dmc.TableTd(_link(run.name, run.id)),
                dmc.TableTd(_priorities(run)),
                dmc.TableTd(_device(run)),
                dmc.TableTd(run.why),
                dmc.TableTd(_cancel(run), className="queue-cancel"),
            ],
            id=f"queue-{run.id}",  # else a row, with the focus in it, would become that of the next run
        )
        for run in queue
    ]
    headings = ("Place", "Run", "Priority", "Device", "Why it waits")
    cells = [dmc.TableTh(heading) for heading in headings]
    head = dmc.TableThead(dmc.TableTr([*cells, dmc.TableTd(className="queue-cancel")]))
    return dmc.TableScrollContainer(
        dmc.Table([head, dmc.TableTbody(rows)], id="queue-table", verticalSpacing="xs"), minWidth=760
    )
