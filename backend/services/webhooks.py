"""Webhooks: addresses that hear when a run ends. A message is a row, written with the end of the run itself.

So none is lost and none is sent for an end that was rolled back; `backend.webhook_sender` sends the rows.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from backend import access, webhook_address
from backend.errors import NotFound
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


class DeliveryOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    type: str = Field(description="what it tells of: run.completed, run.failed, run.cancelled or webhook.test")
    run_id: int | None = Field(description="null in a test of a webhook for every run")
    state: DeliveryState
    attempts: int
    response: int | None = Field(description="HTTP status of the last answer")
    error: str | None = Field(description="why the last attempt failed")
    created_at: datetime
    attempted_at: datetime | None


class WebhookOut(BaseModel):
    """A webhook as lists show it; of the secret nothing is shown again."""

    id: int
    url: str
    run: int | None
    created_at: datetime
    last: DeliveryOut | None = Field(default=None, description="its newest message")


class WebhookMade(WebhookOut):
    secret: str = Field(description="signs what is sent; it is shown this once")


def create(session: Session, asked: WebhookIn) -> WebhookMade:
    """Raises InvalidInput for an address that is none, NotFound, Forbidden."""
    webhook_address.check(asked.url)
    _require(session, asked.run)
    secret = PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    made = Webhook(url=asked.url, run_id=asked.run, secret=secret)
    session.add(made)
    session.flush()
    return WebhookMade(**_out(made).model_dump(), secret=secret)


def list_webhooks(session: Session, run_id: int | None = None) -> list[WebhookOut]:
    """Those that the actor may have, or those of one run. Raises NotFound, Forbidden."""
    query = select(Webhook).order_by(Webhook.id)
    if run_id is not None:
        _require(session, run_id)
        query = query.where(Webhook.run_id == run_id)
    elif not access.actor().scope.includes(TokenScope.ADMIN):
        access.require(TokenScope.SUBMIT)
        own = Run.submitted_by == access.actor().name
        query = query.join(Run).where(own, Run.submitted_by.is_not(None))
    found = session.scalars(query).all()
    last = _last(session, [one.id for one in found])
    return [_out(one, last.get(one.id)) for one in found]


def delete(session: Session, webhook_id: int) -> None:
    """With its messages, those that wait too. Raises NotFound, Forbidden."""
    session.delete(_webhook(session, webhook_id))


def deliveries(session: Session, webhook_id: int, limit: int = 100) -> list[DeliveryOut]:
    """The newest messages first. Raises NotFound, Forbidden."""
    _webhook(session, webhook_id)
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    found = session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(limit))
    return [DeliveryOut.model_validate(one) for one in found]


def send_test(session: Session, webhook_id: int) -> DeliveryOut:
    """A message that tells of nothing, to be sent as any other. Raises NotFound, Forbidden."""
    webhook = _webhook(session, webhook_id)
    told = {"webhook": webhook.id, "run": webhook.run_id}
    payload = {"type": "webhook.test", "timestamp": now().isoformat(), "data": told}
    made = WebhookDelivery(webhook_id=webhook.id, run_id=webhook.run_id, payload=payload)
    session.add(made)
    session.flush()
    return DeliveryOut.model_validate(made)


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


def _last(session: Session, webhook_ids: Sequence[int]) -> dict[int, DeliveryOut]:
    """The newest message of each webhook that has any."""
    newest = select(func.max(WebhookDelivery.id)).where(WebhookDelivery.webhook_id.in_(webhook_ids))
    query = select(WebhookDelivery).where(WebhookDelivery.id.in_(newest.group_by(WebhookDelivery.webhook_id)))
    return {one.webhook_id: DeliveryOut.model_validate(one) for one in session.scalars(query)}


def _out(webhook: Webhook, last: DeliveryOut | None = None) -> WebhookOut:
    return WebhookOut(id=webhook.id, url=webhook.url, run=webhook.run_id, created_at=webhook.created_at, last=last)
