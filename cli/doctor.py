"""`pathscope doctor`: what is installed and what can be reached, a line each."""

import platform
import sys
from collections.abc import Callable
from enum import Enum
from importlib.metadata import version
from importlib.util import find_spec
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from backend.settings import settings
from cli import checks
from cli.client import NoAnswer, Server
from cli.console import CliError, out, without_password

_PACKAGES = ("celery", "dash", "fastapi", "numpy", "sqlalchemy", "torch", "torchvision")


class State(Enum):
    GOOD = Text("ok", style="green")
    NOTE = Text("note", style="yellow")
    BAD = Text("bad", style="red")


class Finding(NamedTuple):
    state: State
    what: str


def doctor() -> None:
    """Print every finding. Raises CliError where something is bad; a server or GPU that is not there is no fault."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    bad = []
    for name, look in _LOOKS.items():
        finding = _look(look)
        table.add_row(finding.state.value, name, Text(finding.what))
        if finding.state is State.BAD:
            bad.append(name)
    out.print(table)
    if bad:
        raise CliError(f"not in order: {', '.join(bad)}")


def _look(look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except CliError as error:
        return Finding(State.BAD, str(error))


def _versions() -> Finding:
    packages = ", ".join(f"{package} {version(package)}" for package in _PACKAGES if find_spec(package))
    return Finding(State.GOOD, f"{version('pathscope')} ({packages})")


def _python() -> Finding:
    return Finding(State.GOOD, f"{platform.python_version()} at {sys.executable}, {platform.platform()}")


def _home() -> Finding:
    checks.check_home()
    return Finding(State.GOOD, str(settings().home))


def _database() -> Finding:
    checks.check_home()
    checks.check_database()
    checks.check_migrated()
    return Finding(State.GOOD, f"{without_password(settings().database)}, migrated")


def _broker() -> Finding:
    checks.check_home()
    checks.check_broker()
    return Finding(State.GOOD, without_password(settings().broker))


def _data() -> Finding:
    from backend.catalogue import image_folders

    folder, names = settings().data_folder, image_folders()
    if not names:
        return Finding(State.NOTE, f"no folder or zip of pictures in {folder}")
    return Finding(State.GOOD, f"{', '.join(names)} in {folder}")


def _server() -> Finding:
    try:
        with Server(settings().server_url) as server:
            offered = server.get("/catalogue")
    except NoAnswer as error:
        return Finding(State.NOTE, str(error))
    return Finding(State.GOOD, f"{server.url}, {len(offered['nets'])} nets, {len(offered['datasets'])} datasets")


def _workers() -> Finding:
    try:
        with Server(settings().server_url) as server:
            alive = [worker for worker in server.get("/workers") if worker["alive"]]
    except NoAnswer:
        return Finding(State.NOTE, "not known without a server")
    if not alive:
        return Finding(State.NOTE, "no worker is running; start one with `pathscope worker`")
    return Finding(State.GOOD, ", ".join(f"{worker['name']} ({worker['device']})" for worker in alive))


def _gpu() -> Finding:
    if not checks.trains():
        return Finding(State.NOTE, "runs train elsewhere: this installation has no torch (the extra `worker`)")
    import torch

    if not torch.cuda.is_available():
        build = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        return Finding(State.NOTE, f"no GPU here, runs train on the CPU ({build})")
    count = torch.cuda.device_count()
    return Finding(State.GOOD, ", ".join(torch.cuda.get_device_name(device) for device in range(count)))


_LOOKS: dict[str, Callable[[], Finding]] = {
    "Pathscope": _versions,
    "Python": _python,
    "State folder": _home,
    "Database": _database,
    "Broker": _broker,
    "Datasets": _data,
    "GPU": _gpu,
    "Server": _server,
    "Workers": _workers,
}
