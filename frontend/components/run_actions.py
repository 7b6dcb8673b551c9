"""What a person can do to a run, as buttons: those are shown that the run's state allows (`backend.run_states`)."""

import asyncio
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from backend.db import read_scope, session_scope
from backend.errors import InvalidInput
from backend.run_states import RunCommand
from backend.schemas import RunOut
from backend.services import commands, runs
from frontend.components.facts import Place
from frontend.components.icons import icon

_BUTTONS = {
    RunCommand.ACTIVATE: ("Activate", "running", "Put it into the queue again; it goes on where it stood"),
    RunCommand.PAUSE: ("Pause", "paused", "Keep its state, end its process and free the worker"),
    RunCommand.CANCEL: (
        "Cancel",
        "stop",
        "End it; what it has recorded stays, and Retry goes on from there",
    ),
    RunCommand.RETRY: ("Retry", "retry", "Put it into the queue again, to go on after its last checkpoint"),
    RunCommand.EXTEND: ("Extend", "extend", "Train it for more epochs"),
    RunCommand.DELETE: ("Delete", "trash", "Remove it with everything that it recorded"),
}
_AT_ONCE = {
    RunCommand.ACTIVATE: commands.activate,
    RunCommand.PAUSE: commands.pause,
    RunCommand.CANCEL: commands.cancel,
    RunCommand.RETRY: commands.retry,
}


def run_actions(run: RunOut) -> Component:
    """The buttons, and the questions that two of them ask."""
    clone = dmc.Anchor(
        dmc.Button("Clone", leftSection=icon("copy"), variant="default"), href=f"/new?clone={run.id}", id="clone-run"
    )
    buttons = [_button(command, shown=command in run.possible) for command in _BUTTONS]
    return dmc.Group([*buttons[:-1], clone, buttons[-1], _delete_dialog(run), _extend_dialog()], gap="xs")


def _button(command: RunCommand, *, shown: bool) -> Component:
    label, picture, does = _BUTTONS[command]
    return dmc.Button(
        label,
        id=f"{command}-run",
        leftSection=icon(picture),
        variant="default",
        color="red" if command is RunCommand.DELETE else None,
        display=_display(shown),
        **{"aria-description": does},
    )


def _display(shown: bool) -> str:
    return "inline-block" if shown else "none"


def _delete_dialog(run: RunOut) -> Component:
    return dmc.Modal(
        [
            dmc.Text(f"“{run.name}”, its recordings and its files will be gone for good."),
            _answers(
                dmc.Button("Keep it", id="delete-no", variant="default"),
                dmc.Button("Delete", id="delete-yes", color="red"),
            ),
        ],
        id="delete-dialog",
        title="Delete this run?",
        opened=False,
        closeButtonProps={"aria-label": "Close"},
    )


def _extend_dialog() -> Component:
    return dmc.Modal(
        [
            dmc.NumberInput(
                id="extend-epochs",
                label="Epochs in all",
                clampBehavior="none",
                allowDecimal=False,
            ),
            _answers(
                dmc.Button("Leave it", id="extend-no", variant="default"),
                dmc.Button("Extend", id="extend-yes"),
            ),
        ],
        id="extend-dialog",
        title="Train this run for longer",
        opened=False,
        closeButtonProps={"aria-label": "Close"},
    )


class Longer(NamedTuple):
    """What the dialog says of a run that is to train for longer: its text, the number it offers and the least one."""

    description: str
    offered: int
    least: int


def _longer(run_id: int) -> Longer:
    with read_scope() as session:
        epochs = runs.get_run(session, run_id).spec.epochs
    words = "goes on from its last checkpoint. Milestones of the learning rate stay at their epochs."
    return Longer(f"It was asked to train for {epochs} and {words}", 2 * epochs, epochs + 1)


def _answers(*buttons: Component) -> Component:
    return dmc.Group(list(buttons), justify="flex-end", mt="md")


def register(dash_app: Dash) -> None:
    @dash_app.callback([Output(f"{command}-run", "display") for command in _BUTTONS], Input("run-possible", "data"))
    async def show_possible(possible: list[str]) -> list[str]:
        return [_display(command in possible) for command in _BUTTONS]

    @dash_app.callback(
        Output("run-tick", "data", allow_duplicate=True),
        [Input(f"{command}-run", "n_clicks") for command in _AT_ONCE],
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def act(*clicks_and_place: Any) -> str:
        *clicks, place = clicks_and_place
        if not any(clicks):
            raise PreventUpdate
        command = RunCommand(str(ctx.triggered_id).removesuffix("-run"))
        await asyncio.to_thread(_act, command, place["run"])
        return f"{command} {sum(count or 0 for count in clicks)}"

    _register_delete(dash_app)
    _register_extend(dash_app)


def _act(command: RunCommand, run_id: int) -> None:
    with session_scope() as session:
        _AT_ONCE[command](session, run_id)


def _register_delete(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("delete-dialog", "opened"),
        Input("delete-run", "n_clicks"),
        Input("delete-no", "n_clicks"),
        prevent_initial_call=True,
    )
    async def ask(_delete: int | None, _keep: int | None) -> bool:
        return bool(ctx.triggered_id == "delete-run" and _delete)

    @dash_app.callback(
        Output("url", "pathname", allow_duplicate=True),
        Input("delete-yes", "n_clicks"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def delete(clicks: int | None, place: Place) -> str:
        if not clicks:
            raise PreventUpdate
        await asyncio.to_thread(_delete, place["run"])
        return "/"


def _delete(run_id: int) -> None:
    with session_scope() as session:
        commands.delete(session, run_id)


def _register_extend(dash_app: Dash) -> None:
    @dash_app.callback(
        Output("extend-dialog", "opened"),
        Output("extend-epochs", "error"),
        Output("run-tick", "data", allow_duplicate=True),
        Output("extend-epochs", "description"),
        Output("extend-epochs", "value"),
        Output("extend-epochs", "min"),
        Input("extend-run", "n_clicks"),
        Input("extend-no", "n_clicks"),
        Input("extend-yes", "n_clicks"),
        State("extend-epochs", "value"),
        State("place", "data"),
        prevent_initial_call=True,
    )
    async def extend(
        asked: int | None, _no: int | None, yes: int | None, epochs: int | str, place: Place
    ) -> tuple[Any, ...]:
        same = (no_update, no_update, no_update)
        if ctx.triggered_id == "extend-run" and asked:
            return True, None, no_update, *await asyncio.to_thread(_longer, place["run"])
        if ctx.triggered_id != "extend-yes" or not yes:
            return False, None, no_update, *same
        if not isinstance(epochs, int):
            return no_update, "enter a whole number", no_update, *same
        wrong = await asyncio.to_thread(_extend, place["run"], epochs)
        return (no_update, wrong, no_update, *same) if wrong else (False, None, f"extended {yes}", *same)


def _extend(run_id: int, epochs: int) -> str | None:
    """What forbids it, as far as the number of epochs or the spec does."""
    try:
        with session_scope() as session:
            commands.extend(session, run_id, epochs)
    except InvalidInput as error:
        return "; ".join(one.message for one in error.errors)
    return None
