"""The session of a browser: a signed cookie that names the token it signed in with, and nothing else.

Starlette's middleware reads and writes it; whether the token still lets anybody in is asked at each request.
"""

import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from backend.settings import settings

COOKIE = "pathscope_session"


def session_options() -> dict[str, Any]:
    """What `SessionMiddleware` takes. Lax: a link elsewhere may open a page; `origin` refuses everything else."""
    public = settings().public_urls
    return {
        "secret_key": _secret(),
        "session_cookie": COOKIE,
        "max_age": round(settings().session_hours * 3600),
        "same_site": "lax",
        "https_only": bool(public) and all(url.startswith("https:") for url in public),
    }


def _secret() -> str:
    """That of the settings, or one that the first process to ask makes for all who share the state folder."""
    given = settings().session_secret
    if given is not None:
        return given.get_secret_value()
    path = settings().home / "session-secret"
    if not path.exists():
        _make(path)
    return path.read_text()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent) as file:  # made with mode 600
        file.write(secrets.token_hex(32))
        file.flush()
        try:
            os.link(file.name, path)  # whole, and never over that of another process
        except FileExistsError:
            return
