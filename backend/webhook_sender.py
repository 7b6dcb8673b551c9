"""Sends the messages of webhooks, signed, and again with growing pauses until they are taken or given up.

Headers and signature are those of the Standard Webhooks specification, so that its libraries verify them:
`webhook-signature: v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with the secret's Base64.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import socket
import time
from datetime import timedelta
from typing import NamedTuple

import httpx2 as httpx
import orjson
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from backend import webhook_address
from backend.db import session_scope
from backend.models import Webhook, WebhookDelivery, now
from backend.schemas import DeliveryState
from backend.services import webhooks
from backend.settings import settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
TIMEOUT_SECONDS = 10.0


class NotTakenError(Exception):
    """An attempt that failed, and may succeed later."""

    def __init__(self, message: str, response: int | None = None) -> None:
        super().__init__(message)
        self.response = response


class RefusedError(Exception):
    """An address to which nothing is ever sent."""


class Message(NamedTuple):
    id: int
    url: str
    secret: str
    body: bytes
    attempts: int


async def keep_sending() -> None:
    """Claim what waits and send it, for ever; each message by itself, so that a slow receiver holds up no other."""
    sending: set[asyncio.Task[None]] = set()
    while True:
        try:
            for delivery_id in await asyncio.to_thread(_claim):
                task = asyncio.create_task(deliver(delivery_id))
                sending.add(task)
                task.add_done_callback(sending.discard)
        except SQLAlchemyError as error:
            log.warning("webhooks wait, the database does not answer: %s", error)
        await asyncio.sleep(LOOK_SECONDS)


async def deliver(delivery_id: int) -> None:
    """Send one message that this server has claimed. Writes down every attempt."""
    message = await asyncio.to_thread(_message, delivery_id)
    if message is None:
        return
    left = max(1, settings().webhook_attempts - message.attempts)
    first = settings().webhook_pause_seconds
    pause = wait_exponential_jitter(multiplier=first, jitter=first, max=3600)

    async def note(state: RetryCallState) -> None:
        lease = timedelta(seconds=state.upcoming_sleep) + webhooks.LEASE
        await asyncio.to_thread(_note, delivery_id, _outcome(state), DeliveryState.WAITING, lease)

    retrying = AsyncRetrying(
        stop=stop_after_attempt(left),
        wait=pause,
        retry=retry_if_exception_type(NotTakenError),
        before_sleep=note,
        reraise=True,
    )
    try:
        response: int = await retrying(send, message)
    except (NotTakenError, RefusedError) as error:
        await asyncio.to_thread(_note, delivery_id, error, DeliveryState.FAILED, timedelta())
    else:
        await asyncio.to_thread(_note, delivery_id, response, DeliveryState.DELIVERED, timedelta())


async def send(message: Message) -> int:
    """One attempt; the status of an answer that takes the message. Raises NotTakenError, RefusedError."""
    try:
        url = httpx.URL(message.url)
        address = await _address_of(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise RefusedError(f"{message.url} is not an address: {error}") from error
    headers = {"Host": url.netloc.decode(), "Content-Type": "application/json", "User-Agent": "Pathscope"}
    headers |= signature(message, int(time.time()))
    # Sent to the address that was looked at: a name could lead elsewhere when it is asked for again.
    target, options = url.copy_with(host=address), {"sni_hostname": url.host}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
            answer = await client.post(target, content=message.body, headers=headers, extensions=options)
    except httpx.HTTPError as error:
        raise NotTakenError(f"{type(error).__name__}: {error}") from error
    if not answer.is_success:
        raise NotTakenError(f"the receiver answered {answer.status_code}", answer.status_code)
    return answer.status_code


def signature(message: Message, timestamp: int) -> dict[str, str]:
    """The headers by which a receiver knows who sent it, and when."""
    name = f"msg_{message.id}"
    key = base64.b64decode(message.secret.removeprefix(webhooks.PREFIX))
    digest = hmac.new(key, f"{name}.{timestamp}.".encode() + message.body, hashlib.sha256).digest()
    sign = base64.b64encode(digest).decode()
    return {"webhook-id": name, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{sign}"}


async def _address_of(url: httpx.URL) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotTakenError(f"{url.host} has no address: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    refused = next((address for address in addresses if not webhook_address.is_allowed(address)), None)
    if refused:
        raise RefusedError(webhook_address.not_public(url.host, refused))
    return addresses[0]


def _claim() -> list[int]:
    with session_scope() as session:
        return webhooks.claim(session)


def _message(delivery_id: int) -> Message | None:
    with session_scope() as session:
        delivery = session.get(WebhookDelivery, delivery_id)
        webhook = session.get(Webhook, delivery.webhook_id) if delivery else None
        if delivery is None or webhook is None:
            return None
        return Message(delivery.id, webhook.url, webhook.secret, orjson.dumps(delivery.payload), delivery.attempts)


def _outcome(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _note(delivery_id: int, outcome: int | BaseException | None, state: DeliveryState, lease: timedelta) -> None:
    with session_scope() as session:
        delivery = session.get(WebhookDelivery, delivery_id)
        if delivery is None:
            return
        delivery.state, delivery.attempted_at, delivery.claimed_until = state, now(), now() + lease
        delivery.attempts += 1
        delivery.response = outcome if isinstance(outcome, int) else getattr(outcome, "response", None)
        delivery.error = None if isinstance(outcome, int) else str(outcome)[:500]
