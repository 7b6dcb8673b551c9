"""What must hold before a process starts. Each check raises CliError with one line that says what to do."""

import errno
import fcntl
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from backend.settings import settings
from cli.console import INVALID, CliError, without_password


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

    reason = unreachable_because(wait_seconds)
    if reason is not None:
        where = without_password(settings().database)
        raise CliError(f"the database {where} does not answer ({reason}); start it or change PATHSCOPE_DATABASE_URL")


def check_migrated() -> None:
    """The database holds the tables of this version."""
    from backend.migrations import is_migrated

    if not is_migrated():
        where = without_password(settings().database)
        raise CliError(f"the tables of {where} are not those of this version; run: pathscope migrate")


def check_broker() -> None:
    """The message broker answers."""
    from backend.queue import broker_answers

    where = without_password(settings().broker)
    try:
        answers = broker_answers()
    except (ImportError, KeyError, ValueError) as error:
        raise CliError(f"PATHSCOPE_BROKER_URL {where} is not a broker's address: {error.args[0]}", INVALID) from error
    if not answers:
        raise CliError(f"the broker {where} does not answer; start it or change PATHSCOPE_BROKER_URL")


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
