"""A receiver of webhooks on loopback, and the settings under which a server may send to it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.conftest import forget_settings


class Receiver(BaseHTTPRequestHandler):
    """Answers with the next of `answers`, with 204 where none is left; `heard` is what came."""

    answers: ClassVar[list[int]] = []
    heard: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.answers.pop(0) if self.answers else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    """Its address."""
    Receiver.answers, Receiver.heard = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/hook?key=1"
        server.shutdown()


@pytest.fixture
def allowed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks may reach loopback, and are given up after three attempts in quick succession."""
    monkeypatch.setenv("PATHSCOPE_PRIVATE_WEBHOOKS", "true")
    monkeypatch.setenv("PATHSCOPE_WEBHOOK_PAUSE_SECONDS", "0.01")
    monkeypatch.setenv("PATHSCOPE_WEBHOOK_ATTEMPTS", "3")
    forget_settings()
