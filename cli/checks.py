"""What must hold before a process starts. Each check raises CliError with one line that says what to do."""

import errno
import fcntl
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from ipaddress import ip_address

from backend.settings import settings
from cli.console import INVALID, CliError, complain, say, without_password

_WORKER_PACKAGES = ("torch", "torchvision", "numba", "sklearn", "pynvml")


def check_home() -> None:
    """The state folder exists, or can be made, and takes files."""
    home = settings().home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        message = f"cannot write to the state folder {home} ({error.strerror}); set PATHSCOPE_HOME to one that you own"
        raise CliError(message) from error


def check_database(wait_seconds: float = 0) -> None:
    """The database answers, at the latest after so long."""
    from backend.migrations import unreachable_because

    where = without_password(settings().database)
    reason = unreachable_because(wait_seconds, lambda: say(f"Waiting up to {wait_seconds:g} s for {where} …"))
    if reason is not None:
        raise CliError(f"the database {where} does not answer ({reason}); start it or change PATHSCOPE_DATABASE_URL")


def check_migrated() -> None:
    """The database holds the tables of this version."""
    from backend.migrations import is_migrated

    if not is_migrated():
        where = without_password(settings().database)
        raise CliError(f"the tables of {where} are not those of this version; run: pathscope migrate")


def check_broker() -> None:
    """The message broker answers."""
    if not broker_answers():
        where = without_password(settings().broker)
        raise CliError(f"the broker {where} does not answer; start it or change PATHSCOPE_BROKER_URL")


def broker_answers() -> bool:
    """Whether it does; its address is one that a broker can have."""
    from backend import queue

    try:
        return queue.broker_answers()
    except (ImportError, KeyError, ValueError) as error:
        where = without_password(settings().broker)
        raise CliError(f"PATHSCOPE_BROKER_URL {where} is not a broker's address: {error.args[0]}", INVALID) from error


def trains() -> bool:
    """Whether this installation can train: its packages come with the extra `worker`."""
    return all(find_spec(package) for package in _WORKER_PACKAGES)


def check_trains() -> None:
    """What a worker needs is installed."""
    if not trains():
        raise CliError("this installation serves and cannot train; a worker needs: pip install 'pathscope[worker]'")


def check_access(host: str) -> None:
    """Only this machine reaches the server, or it wants a token, or the operator said that everybody may."""
    from backend.db import read_scope
    from backend.services import tokens

    try:
        with read_scope() as session:
            has_token = tokens.any_in_force(session)
    except OSError as error:
        message = f"cannot read PATHSCOPE_ADMIN_TOKEN_FILE {settings().admin_token_file} ({error.strerror})"
        raise CliError(message, INVALID) from error
    if settings().auth == "tokens" and not has_token:
        complain("Nobody can come in yet: make a token with `pathscope token create NAME --scope admin`.")
    if has_token or settings().auth != "auto" or (_is_loopback(host) and not settings().public_urls):
        return
    raise CliError(
        f"anybody who reaches {host} could use this server: make a token first (pathscope token create NAME --scope "
        "admin), set PATHSCOPE_ADMIN_TOKEN, or say PATHSCOPE_AUTH=none to let everybody in",
        INVALID,
    )


def _is_loopback(host: str) -> bool:
    """Whether every address of this name is this machine's own."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        return False
    return all(ip_address(str(where[0])).is_loopback for *_, where in found)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to host and port."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise CliError(f"there is no host {host} to listen on ({error.strerror})", INVALID) from error
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(where)
    except OSError as error:
        listener.close()
        raise CliError(_why_not_bound(host, port, error)) from error
    return listener


def _why_not_bound(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another program; choose another one, e.g. PORT={port % 65535 + 1}"
    return f"cannot listen on {host}, port {port}: {error.strerror}"


@contextmanager
def sole_starter() -> Iterator[None]:
    """Hold the state folder for one `pathscope up`; the kernel lets go of it however the process ends."""
    with open(settings().home / "up.lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"Pathscope already runs on {settings().home}; stop that one or set another PATHSCOPE_HOME"
            raise CliError(message) from error
        yield
