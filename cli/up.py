"""`pathscope up`: everything at once on this machine, until Ctrl-C."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

import httpx2 as httpx

from backend.db import session_scope
from backend.schemas import RunSpec
from backend.services import runs
from backend.settings import address, settings
from cli import checks
from cli.console import CliError, complain, say
from cli.processes import Child, start, stop

DEMO = RunSpec(net="alexnet", dataset="digits", name="Demo: AlexNet on digits")
READY_SECONDS = 120
_POLL_SECONDS = 0.2


class _Stop(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. Not an Exception: nothing on the way may swallow it."""


class Place(NamedTuple):
    host: str
    port: int

    @property
    def url(self) -> str:
        return address(self.host, self.port)


def up(host: str, port: int, *, demo: bool) -> None:
    """Check, migrate, start server and worker, and watch them. Raises CliError where one cannot start or dies."""
    place = Place(host, port)
    children: list[Child] = []
    try:
        with _stop_on_signals():
            checks.check_trains()
            checks.check_home()
            with checks.sole_starter():
                _prepare(place)
                _start(place, children)
                _wait_until_ready(place, children)
                if demo:
                    _submit_demo()
                say(f"Pathscope is ready at {place.url}")
                _supervise(children)
    except _Stop:
        say("Stopping …")
    finally:
        stop(children)


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    def raise_stop(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise _Stop

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        signal.signal(number, raise_stop)
    yield


def _prepare(place: Place) -> None:
    checks.listening_socket(place.host, place.port).close()
    checks.check_database()
    from backend.migrations import migrate

    migrate()
    checks.check_access(place.host)
    checks.check_broker()


def _start(place: Place, children: list[Child]) -> None:
    logs = settings().home / "logs"
    serve = ["serve", "--host", place.host, "--port", str(place.port)]
    children.append(start("server", serve, logs / "server.log"))
    children.append(start("worker", ["worker"], logs / "worker.log"))


def _wait_until_ready(place: Place, children: list[Child]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    missing = "it does not answer"
    with httpx.Client(base_url=place.url, timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            _check_alive(children)
            try:
                answer = client.get("/readyz")
            except httpx.TransportError:
                pass
            else:
                if answer.status_code == httpx.codes.OK:
                    return
                missing = ", ".join(f"{part}: {state}" for part, state in answer.json().items() if state != "ok")
            time.sleep(_POLL_SECONDS)
    raise CliError(f"not ready after {READY_SECONDS} s ({missing}); the logs are in {settings().home / 'logs'}")


def _submit_demo() -> None:
    """Straight through the service: the server may want a token, and we are its operator."""
    with session_scope() as session:
        if runs.count_runs(session) == 0:
            runs.submit(session, DEMO, "demo")
            say("There is no run yet: started the demo run, AlexNet on digits.")


def _supervise(children: list[Child]) -> None:
    while True:
        _check_alive(children)
        time.sleep(_POLL_SECONDS)


def _check_alive(children: list[Child]) -> None:
    for child in children:
        if child.ended:
            complain(child.last_lines())
            raise CliError(f"the {child.name} ended by itself ({child.how_it_ended()}); its log is {child.log}")
