"""What every answer tells the browser: run our scripts and no others, show us in no frame, guess no types.

Styles may stand inline, as Mantine and Plotly set them while they draw; scripts may not. The few that Dash and the
page of the API's documentation write inline are allowed by their hashes (`allow_inline_scripts`).
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.settings import settings

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS = "max-age=31536000"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def allow_inline_scripts(app: FastAPI, hashes: Iterable[str]) -> None:
    """Let pages of `app` run the inline scripts with these hashes, as a Content-Security-Policy writes them."""
    app.state.script_hashes = (*getattr(app.state, "script_hashes", ()), *hashes)


def script_hashes(html: str) -> list[str]:
    """Of each inline script of a page of ours."""
    scripts = _INLINE_SCRIPT.findall(html)
    return [f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts]


def _headers_of(scope: Scope) -> dict[str, str]:
    secure = scope.get("scheme") == "https" or any(url.startswith("https:") for url in settings().public_urls)
    hashes = getattr(scope["app"].state, "script_hashes", ())
    found = _HEADERS | {"Content-Security-Policy": _policy(hashes)}
    return found | {"Strict-Transport-Security": _HSTS} if secure else found


def _policy(hashes: Iterable[str]) -> str:
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in _headers_of(scope).items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
