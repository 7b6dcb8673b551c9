"""Asks a Pathscope server over REST and turns whatever goes wrong into a CliError of one line."""

from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2 as httpx

from cli.console import FAILED, INVALID, CliError

_TIMEOUT_SECONDS = 30
_SLOW_SECONDS = 120
"""For files that are drawn first."""


class NoAnswer(CliError):
    """The server cannot be reached; it may be back later."""


class Server:
    """A server's REST API, by the server's address and the token that it wants, if any."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._client = httpx.Client(
                base_url=f"{url}/api/v1", headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=not _is_loopback(url)
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise CliError(f"{url} is not a server's address: {error}", INVALID) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """The answer's JSON. Raises CliError."""
        return self._ask("GET", path, params=query)

    def fetch(self, path: str, query: dict[str, Any] | None = None) -> bytes:
        """The answer as it comes. Raises CliError."""
        return self._request("GET", path, params=query, timeout=_SLOW_SECONDS).content

    def post(self, path: str, body: object = None, idempotency_key: str | None = None) -> Any:
        """The answer's JSON. Raises CliError."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._ask("POST", path, json=body, headers=headers)

    def delete(self, path: str) -> None:
        """Raises CliError."""
        answer = self._request("DELETE", path)
        if answer.status_code != httpx.codes.NO_CONTENT:
            raise self._stranger(answer)

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        answer = self._request(method, path, **request)
        try:
            return answer.json()
        except ValueError as error:
            raise self._stranger(answer) from error

    def _request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A successful answer. Raises CliError."""
        try:
            answer = self._client.request(method, path, **request)
        except httpx.UnsupportedProtocol as error:
            message = f"{self.url} is not a server's address; it begins with http:// or https://"
            raise CliError(message, INVALID) from error
        except httpx.TimeoutException as error:
            raise NoAnswer(f"the Pathscope server at {self.url} did not answer in time; try again") from error
        except httpx.TransportError as error:
            message = (
                f"no Pathscope server answers at {self.url}; start it with `pathscope up`, "
                "or name the one that runs elsewhere with PORT or PATHSCOPE_URL"
            )
            raise NoAnswer(message) from error
        if answer.is_success:
            return answer
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or "detail" not in body:
            raise self._stranger(answer)
        raise _problem(answer.status_code, body)

    def _stranger(self, answer: httpx.Response) -> CliError:
        kind = answer.headers.get("content-type", "nothing")
        return CliError(f"what answers at {self.url} is not Pathscope (HTTP {answer.status_code}, {kind})")


def _problem(status: int, body: dict[str, Any]) -> CliError:
    """A problem+json body as a message: a line for each field that is wrong, else the detail."""
    code = INVALID if status in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY) else FAILED
    if status == httpx.codes.UNAUTHORIZED:
        return CliError(f"{body['detail']} The command line takes the token from PATHSCOPE_TOKEN.", code)
    fields = [f"  {error['field']}: {error['message']}{_found(error)}" for error in body.get("errors") or []]
    return CliError("\n".join(["invalid input", *fields]) if fields else str(body["detail"]), code)


def _found(error: dict[str, Any]) -> str:
    value = error.get("value")
    return "" if value is None or isinstance(value, dict | list) else f" (found {value!r})"


def _is_loopback(url: str) -> bool:
    """Whether the address is this machine, which no proxy of the environment can reach."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
