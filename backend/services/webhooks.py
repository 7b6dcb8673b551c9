"""Webhooks: addresses that hear when a run ends. A message is a row, written with the end of the run itself.

So none is lost and none is sent for an end that was rolled back; `backend.webhook_sender` sends the rows.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from backend import access
from backend.errors import FieldError, InvalidInput, NotFound
from backend.models import Recording, Run, RunTag, Webhook, WebhookDelivery, now
from backend.run_states import RunStatus
from backend.schemas import DeliveryState, TokenScope

PREFIX = "whsec_"
LEASE = timedelta(minutes=2)
"""A server that claimed a message and has not been heard of for longer is gone: another one sends it."""


class WebhookIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=2000, description="http or https; gets a POST when a run ends")
    run: int | None = Field(default=None, ge=1, lt=2**53, description="this run alone; left out: every run")


class WebhookOut(BaseModel):
    """A webhook as lists show it; of the secret nothing is shown again."""

    id: int
    url: str
    run: int | None
    created_at: datetime


class WebhookMade(WebhookOut):
    secret: str = Field(description="signs what is sent; it is shown this once")


class DeliveryOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    run_id: int
    state: DeliveryState
    attempts: int
    response: int | None = Field(description="HTTP status of the last answer")
    error: str | None = Field(description="why the last attempt failed")
    created_at: datetime
    attempted_at: datetime | None


def create(session: Session, asked: WebhookIn) -> WebhookMade:
    """Raises InvalidInput for an address that is none, NotFound, Forbidden."""
    _require(session, asked.run)
    _check_url(asked.url)
    secret = PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    made = Webhook(url=asked.url, run_id=asked.run, secret=secret)
    session.add(made)
    session.flush()
    return WebhookMade(**_out(made).model_dump(), secret=secret)


def list_webhooks(session: Session, run_id: int | None = None) -> list[WebhookOut]:
    """All webhooks, or those of one run. Raises NotFound, Forbidden."""
    _require(session, run_id)
    query = select(Webhook).order_by(Webhook.id)
    if run_id is not None:
        query = query.where(Webhook.run_id == run_id)
    return [_out(one) for one in session.scalars(query)]


def delete(session: Session, webhook_id: int) -> None:
    """With its messages, those that wait too. Raises NotFound, Forbidden."""
    session.delete(_webhook(session, webhook_id))


def deliveries(session: Session, webhook_id: int, limit: int = 100) -> list[DeliveryOut]:
    """The newest messages first. Raises NotFound, Forbidden."""
    _webhook(session, webhook_id)
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    found = session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(limit))
    return [DeliveryOut.model_validate(one) for one in found]


def announce(session: Session, run: Run, status: RunStatus) -> None:
    """Write the messages that tell of the run's end; the transaction writes the end too."""
    heard = session.scalars(select(Webhook.id).where(or_(Webhook.run_id.is_(None), Webhook.run_id == run.id))).all()
    if not heard:
        return
    payload = _payload(session, run, status)
    session.add_all(WebhookDelivery(webhook_id=one, run_id=run.id, payload=payload) for one in heard)


def claim(session: Session, limit: int = 20) -> list[int]:
    """Messages that wait and that no living server sends, claimed for this one."""
    query = select(WebhookDelivery.id).where(WebhookDelivery.state == DeliveryState.WAITING, _free())
    found = session.scalars(query.order_by(WebhookDelivery.id).limit(limit).with_for_update(skip_locked=True)).all()
    if found:
        renew(session, found, LEASE)
    return list(found)


def renew(session: Session, delivery_ids: Sequence[int], lease: timedelta) -> None:
    """Keep the claim for so long from now."""
    changed = update(WebhookDelivery).where(WebhookDelivery.id.in_(delivery_ids))
    session.execute(changed.values(claimed_until=now() + lease))


def _free() -> ColumnElement[bool]:
    return or_(WebhookDelivery.claimed_until.is_(None), WebhookDelivery.claimed_until < now())


def _payload(session: Session, run: Run, status: RunStatus) -> dict[str, object]:
    last = session.get(Recording, (run.id, run.last_recording)) if run.last_recording is not None else None
    return {
        "type": f"run.{status}",
        "timestamp": now().isoformat(),
        "data": {
            "run": run.id,
            "name": run.name,
            "status": status.value,
            "reason": run.reason,
            "net": run.net,
            "dataset": run.dataset,
            "tags": list(session.scalars(select(RunTag.tag).where(RunTag.run_id == run.id).order_by(RunTag.tag))),
            "train_accuracy": last.train_accuracy if last else None,
            "test_accuracy": last.test_accuracy if last else None,
        },
    }


def _require(session: Session, run_id: int | None) -> None:
    """Of one run its owner may have webhooks, of every run an administrator alone."""
    if run_id is None:
        access.require(TokenScope.ADMIN)
        return
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    access.require_change(run_id, run.submitted_by)


def _webhook(session: Session, webhook_id: int) -> Webhook:
    found = session.get(Webhook, webhook_id)
    if found is None:
        raise NotFound(f"there is no webhook {webhook_id}")
    _require(session, found.run_id)
    return found


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right or not url.isprintable() or " " in url:
        raise InvalidInput(
            [FieldError("url", url, "not an address; it begins with http:// or https:// and names a host")]
        )


def _out(webhook: Webhook) -> WebhookOut:
    return WebhookOut(id=webhook.id, url=webhook.url, run=webhook.run_id, created_at=webhook.created_at)
