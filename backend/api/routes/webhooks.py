"""Webhooks: have an address told when a run ends."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from backend.api.deps import INVALID, NOT_FOUND, Reading, Writing
from backend.services import webhooks
from backend.services.webhooks import DeliveryOut, WebhookIn, WebhookMade, WebhookOut

router = APIRouter(prefix="/webhooks", tags=["webhooks"], responses=NOT_FOUND | INVALID)

WebhookId = Annotated[int, Path(ge=1, lt=2**53, description="the webhook's number")]


@router.post("", status_code=201)
def create_webhook(asked: WebhookIn, session: Writing) -> WebhookMade:
    """Tell this address when a run ends; the answer alone holds the secret that signs the messages."""
    return webhooks.create(session, asked)


@router.get("")
def list_webhooks(
    session: Reading, run: Annotated[int | None, Query(ge=1, lt=2**53, description="those of this run alone")] = None
) -> list[WebhookOut]:
    """The webhooks that you may have, without their secrets: an administrator all, others those of their own runs."""
    return webhooks.list_webhooks(session, run)


@router.post("/{webhook_id}/test", status_code=202)
def test_webhook(webhook_id: WebhookId, session: Writing) -> DeliveryOut:
    """Send it a message that tells of nothing, within seconds; its deliveries say what came back."""
    return webhooks.send_test(session, webhook_id)


@router.delete("/{webhook_id}", status_code=204)
def delete_webhook(webhook_id: WebhookId, session: Writing) -> None:
    """Tell it nothing more, not even what waits."""
    webhooks.delete(session, webhook_id)


@router.get("/{webhook_id}/deliveries")
def list_deliveries(webhook_id: WebhookId, session: Reading) -> list[DeliveryOut]:
    """Its newest hundred messages: sent or not, how often tried, and what was answered."""
    return webhooks.deliveries(session, webhook_id)
