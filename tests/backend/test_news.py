"""How soon, and how cheaply, a server hears of what is committed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

import pytest
from sqlalchemy import Engine, NullPool, create_engine, event, make_url, text

from backend import db
from backend.api.live import Hub, Subscription
from backend.api.news import CHANNEL
from backend.db import read_scope, session_scope
from backend.schemas import RunSpec
from backend.services import commands, runs
from tests.conftest import forget_settings
from tests.servers import free_port

Scene = Callable[[Subscription], Awaitable[None]]


def submit() -> int:
    with session_scope() as session:
        return runs.submit(session, RunSpec(net="mlp", dataset="digits"))[0].id


def fail_to_submit() -> None:
    with session_scope() as session:
        runs.submit(session, RunSpec(net="mlp", dataset="digits"))
        session.flush()
        raise RuntimeError


def play(scene: Scene) -> None:
    """Run the scene with a subscription of a hub that watches."""
    asyncio.run(watched(scene))


async def watched(scene: Scene) -> None:
    hub = Hub()
    watcher = asyncio.create_task(hub.watch())
    async with hub.subscribe() as subscription:
        await in_time(subscription, await asyncio.to_thread(submit))  # it watches
        await scene(subscription)
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)


class Forwarder:
    """A port of this machine that leads to a server's; while it is stopped, nobody answers there."""

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        self._there = (host, port)
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)

    def stop(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection(*self._there)
        self._open |= {writer, questions}
        with suppress(ConnectionError):
            await asyncio.gather(_copy(reader, questions), _copy(answers, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def in_time(subscription: Subscription, run_id: int, seconds: float = 10) -> float:
    """Seconds until the subscriber hears of the run."""
    began = monotonic()
    while monotonic() - began < seconds:
        news = await subscription.next(seconds)
        if news is None or run_id in news:
            return monotonic() - began
    raise AssertionError(f"no news of run {run_id} in {seconds} s")


@pytest.mark.usefixtures("database")
def test_a_commit_is_heard_of_at_once() -> None:
    async def scene(subscription: Subscription) -> None:
        await asyncio.sleep(0.5)
        await subscription.next(0.01)
        waits = [await in_time(subscription, submit()) for _ in range(5)]
        assert max(waits) < 0.8

    play(scene)


@pytest.mark.usefixtures("database")
def test_what_is_rolled_back_is_not_heard_of_and_a_deletion_is() -> None:
    async def scene(subscription: Subscription) -> None:
        await asyncio.sleep(0.5)
        await subscription.next(0.01)
        with pytest.raises(RuntimeError):
            fail_to_submit()
        assert await subscription.next(0.5) == set()
        with session_scope() as session:
            commands.cancel(session, 1)
            commands.delete(session, 1)
        assert await subscription.next(5) is None

    play(scene)


@pytest.mark.usefixtures("postgres")
def test_an_idle_server_asks_postgres_nothing() -> None:
    async def scene(subscription: Subscription) -> None:
        await asyncio.sleep(0.5)
        asked: list[str] = []
        event.listen(Engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        await asyncio.sleep(2)
        assert asked == []

    play(scene)


@pytest.mark.usefixtures("postgres")
def test_news_come_while_the_listening_connection_is_lost_and_after() -> None:
    async def scene(subscription: Subscription) -> None:
        with db.engine().begin() as connection:
            listening = f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE query = 'LISTEN {CHANNEL}' AND datname = current_database()"""
            assert connection.execute(text(listening)).all() == [(True,)]
        assert await in_time(subscription, submit()) < 3
        await asyncio.sleep(2.5)
        await subscription.next(0.01)
        assert await in_time(subscription, submit()) < 1

    play(scene)


@pytest.mark.usefixtures("postgres")
def test_all_may_have_changed_when_postgres_was_away(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = make_url(postgres)

    async def scene(subscription: Subscription, forwarder: Forwarder) -> None:
        await asyncio.sleep(0.5)
        await subscription.next(0.01)
        forwarder.stop()
        await asyncio.sleep(0.5)
        with create_engine(there, poolclass=NullPool).begin() as connection:
            connection.execute(text("UPDATE runs SET name = 'renamed' WHERE id = 1"))
        assert await subscription.next(1) == set()
        await forwarder.start()
        assert await subscription.next(10) is None
        assert await in_time(subscription, await asyncio.to_thread(submit)) < 1

    async def behind_a_forwarder() -> None:
        forwarder = Forwarder(there.host or "127.0.0.1", there.port or 5432)
        await forwarder.start()
        address = there.set(host="127.0.0.1", port=forwarder.port).render_as_string(hide_password=False)
        monkeypatch.setenv("PATHSCOPE_DATABASE_URL", address)
        forget_settings()
        await watched(lambda subscription: scene(subscription, forwarder))
        forwarder.stop()

    asyncio.run(behind_a_forwarder())


def test_subscribers_share_what_is_read_until_there_are_news() -> None:
    async def scene() -> None:
        hub, reads = Hub(), []
        query = lambda session: reads.append(session) or len(reads)  # noqa: E731
        assert await asyncio.gather(*(hub.read("key", query) for _ in range(100))) == [1] * 100
        assert await hub.read("other", query) == 2

    asyncio.run(scene())


@pytest.mark.usefixtures("postgres")
def test_a_reader_holds_no_transaction_open_between_its_queries() -> None:
    with read_scope() as session, db.engine().connect() as other:
        process = session.scalar(text("SELECT pg_backend_pid()"))
        state = other.scalar(text("SELECT state FROM pg_stat_activity WHERE pid = :process"), {"process": process})
        assert state == "idle"
