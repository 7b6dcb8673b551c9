"""Which addresses a webhook may have: those that a server on the open Internet may be asked to send to."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from backend.errors import FieldError, InvalidInput
from backend.settings import settings

_NO_ADDRESS = "not an address; it begins with http:// or https:// and names a host"


def check(url: str) -> None:
    """Raises InvalidInput for what is no address, or says by itself that it is not public.

    No name is looked up, which could take long: where it leads is seen at each attempt to send.
    """
    host = _host_of(url)
    try:
        number = _number_of(host) if host else None
    except UnicodeError:
        host = None
    if not host:
        raise InvalidInput([FieldError("url", url, _NO_ADDRESS)])
    if number and not is_allowed(number):
        raise InvalidInput([FieldError("url", url, not_public(host, number))])


def is_allowed(number: str) -> bool:
    """Whether this IP address may be sent to."""
    return settings().private_webhooks or ip_address(number.split("%")[0]).is_global


def not_public(host: str, number: str) -> str:
    """What is wrong with a host that leads to an IP address that is not allowed."""
    found = host if host == number else f"{host} is {number}, which"
    return f"{found} is not a public address; PATHSCOPE_PRIVATE_WEBHOOKS=true allows such"


def _host_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts.hostname if right and url.isprintable() and " " not in url else None


def _number_of(host: str) -> str | None:
    """The IP address that the host stands for in whichever way of writing (`127.1`), None for a name."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return None
    return str(found[0][4][0])
