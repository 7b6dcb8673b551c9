"""Whether a request is meant for this server and was not sent by another site."""

import re
from ipaddress import ip_address
from socket import gethostname
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from backend.errors import Forbidden, Misdirected
from backend.settings import settings

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_HOST = re.compile(r"(?P<name>[\w.-]+|\[[\da-fA-F:.]+\])(:\d+)?", re.ASCII)
_WILDCARDS = {"0.0.0.0", "::"}  # noqa: S104


def check(connection: HTTPConnection) -> None:
    """Return where the request is ours.

    Raises Misdirected where the Host is none of our names (a site that rebinds its own name to our address), Forbidden
    where the Origin is not ours (a site that lets its visitors' browsers ask us).
    """
    host = _host(connection)
    if host not in _own_names(connection):
        raise Misdirected(f"this server is not known as {host!r}; PATHSCOPE_PUBLIC_URL holds the addresses that it has")
    origin = connection.headers.get("origin")
    if not (_sent_by_own_page(connection) if origin is None else _is_own(origin, connection)):
        raise Forbidden(f"requests of the site {origin or 'that sent this one'} are not taken")


def is_local(connection: HTTPConnection) -> bool:
    """Whether the connection came in on loopback, or on no network at all."""
    server = connection.scope.get("server")
    try:
        return server is None or ip_address(server[0]).is_loopback
    except ValueError:
        return True


def changes_something(connection: HTTPConnection) -> bool:
    """Whether the request may change something, or opens a socket."""
    return connection.scope["type"] == "websocket" or connection.scope["method"] not in SAFE_METHODS


def names_its_sender(connection: HTTPConnection) -> bool:
    """Whether a browser said which site the request comes from."""
    return "origin" in connection.headers or "sec-fetch-site" in connection.headers


def _own_names(connection: HTTPConnection) -> set[str]:
    """Loopback, this machine's name, the address that the connection came in on, and what the settings say."""
    came_in_on = {connection.scope["server"][0]} if connection.scope.get("server") else set()
    public = {urlsplit(url).hostname or "" for url in settings().public_urls}
    return ({gethostname().lower(), settings().host, *came_in_on, *public} | _LOOPBACK) - _WILDCARDS - {""}


def _is_own(origin: str, connection: HTTPConnection) -> bool:
    return origin.lower() in settings().public_urls or origin.lower() in {
        f"{scheme}://{connection.headers['host'].lower()}" for scheme in ("http", "https")
    }


def _sent_by_own_page(connection: HTTPConnection) -> bool:
    """Browsers name the Origin whenever they change something; this catches what they say besides."""
    site = connection.headers.get("sec-fetch-site", "none")
    return site in ("same-origin", "none") or not changes_something(connection)


def _host(connection: HTTPConnection) -> str:
    """The Host without its port; empty where it is none, so that nobody reads a path or a user into it."""
    found = _HOST.fullmatch(connection.headers.get("host", ""))
    return found["name"].strip("[]").lower() if found else ""
