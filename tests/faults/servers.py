"""A Postgres and a Redis of our own, in a temporary folder on free ports: they are stopped, killed and emptied."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from tests.servers import eventually, free_port


class Postgres:
    """Durable as by default, so that a crash tests what is committed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgresql+psycopg://root@127.0.0.1:{self.port}/postgres"
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("initdb") or "").parent]
        self._programs = programs[-1]
        folder.mkdir()
        if os.getuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
        self._call("initdb", "-U", "root", "-A", "trust", "-E", "UTF8", "--no-locale")

    def start(self) -> None:
        where = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self._call("pg_ctl", "-l", str(self.folder / "log"), "-w", "-o", where, "start")
        eventually(self._answers, "an answer of Postgres", 60)

    def stop(self, mode: str = "immediate") -> None:
        """Immediate is a crash: nothing is flushed, connections break, the next start recovers from the log."""
        self._call("pg_ctl", "-m", mode, "-w", "stop")

    def _answers(self) -> bool:
        engine = create_engine(self.url)
        try:
            engine.connect().close()
        except OperationalError:
            return False
        finally:
            engine.dispose()
        return True

    def _call(self, program: str, *arguments: str) -> None:
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        subprocess.run(
            [*as_postgres, self._programs / program, "-D", self.folder, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )


class RedisServer:
    """With the log of commands that `docker-compose.yml` asks for: what was queued survives a restart."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", *where, "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"],
                stdout=log,
            )
        eventually(self._answers, "an answer of Redis", 30)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def empty(self) -> None:
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port) as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False


@contextmanager
def running(folder: Path) -> Iterator[tuple[Postgres, RedisServer]]:
    folder.chmod(0o711)
    database, broker = Postgres(folder / "postgres"), RedisServer(folder / "redis")
    database.start()
    broker.start()
    try:
        yield database, broker
    finally:
        broker.stop()
        database.stop("fast")


@contextmanager
def away(stop: Callable[[], None], start: Callable[[], None], seconds: float) -> Iterator[None]:
    """Inside, the server is stopped; it is started again after so many seconds, or when the block takes longer."""
    until = time.monotonic() + seconds
    stop()
    try:
        yield
        time.sleep(max(until - time.monotonic(), 0))
    finally:
        start()
