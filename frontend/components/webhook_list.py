"""Webhooks as a list: whom each tells of what, what became of its newest message, and its newest ones on demand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.schemas import DeliveryState
from backend.services.webhooks import DeliveryOut, WebhookOut
from frontend.components.icons import icon
from frontend.components.panel import attributes
from frontend.components.run_status import duration_text

SHOWN = 25
"""So many messages of a webhook are listed."""
DELIVERIES, TEST, REMOVE = "webhook-deliveries", "webhook-test", "webhook-remove"
"""What the buttons of a webhook are called: `{"does": DELIVERIES, "webhook": 3}`."""

_COLOURS = {DeliveryState.WAITING: "gray", DeliveryState.DELIVERED: "teal", DeliveryState.FAILED: "red"}
_ICONS = {DeliveryState.WAITING: "queued", DeliveryState.DELIVERED: "check", DeliveryState.FAILED: "warning"}


def webhook_list(
    found: Sequence[WebhookOut], opened: Mapping[int, Sequence[DeliveryOut]], run: int | None
) -> list[Component]:
    """Each webhook, those in `opened` with their messages."""
    if not found:
        of_it = f" of run {run} alone" if run else ""
        return [dmc.Text(f"There is no webhook{of_it} yet.", c="dimmed", id="webhooks-none")]
    items = [html.Li(_webhook(one, opened.get(one.id)), id={"webhook": one.id}) for one in found]
    return [html.Ul(items, className="webhooks")]


def _webhook(webhook: WebhookOut, sent: Sequence[DeliveryOut] | None) -> Component:
    about = _run(webhook.run) if webhook.run else "every run"
    return dmc.Paper(
        [
            html.Div([html.Code(webhook.url, className="webhook-url"), _last(webhook.last)], className="webhook-head"),
            dmc.Text(
                ["Webhook ", str(webhook.id), ", tells of ", about, ", added ", _ago(webhook.created_at)], size="sm"
            ),
            _buttons(webhook, sent is not None),
            *([] if sent is None else [_deliveries(webhook, sent)]),
        ],
        withBorder=True,
        p="md",
        className="webhook",
    )


def _run(run_id: int) -> Component:
    return dmc.Anchor(f"run {run_id}", href=f"/runs/{run_id}", inherit=True, underline="always")


def _buttons(webhook: WebhookOut, is_open: bool) -> Component:
    return dmc.Group(
        [
            _button(DELIVERIES, webhook, "Recent deliveries", "next", **{"aria-expanded": str(is_open).lower()}),
            _button(TEST, webhook, "Send a test", "running"),
            _button(REMOVE, webhook, "Remove", "trash", color="red"),
        ],
        gap="xs",
        mt="sm",
    )


def _button(does: str, webhook: WebhookOut, words: str, picture: str, **more: Any) -> Component:
    return dmc.Button(
        words,
        id={"does": does, "webhook": webhook.id},
        leftSection=icon(picture, size=14),
        variant="default",
        size="compact-sm",
        **{"aria-description": f"of webhook {webhook.id}"} | more,
    )


def _last(delivery: DeliveryOut | None) -> Component:
    if delivery is None:
        return dmc.Badge("nothing sent yet", variant="default", tt="none")
    return html.Span([_badge(delivery), " ", _ago(delivery.attempted_at or delivery.created_at)], className="dimmed")


def _badge(delivery: DeliveryOut) -> Component:
    again = delivery.state is DeliveryState.WAITING and delivery.attempts > 0
    return dmc.Badge(
        "trying again" if again else delivery.state.value,
        color="orange" if again else _COLOURS[delivery.state],
        variant="light",
        tt="none",
        miw="max-content",
        leftSection=icon(_ICONS[delivery.state], size=12),
    )


def _deliveries(webhook: WebhookOut, sent: Sequence[DeliveryOut]) -> Component:
    if not sent:
        return dmc.Text("Nothing has been sent yet: no run has ended since, and no test was sent.", size="sm", mt="sm")
    headings = ("Message", "State", "Attempts", "Last attempt", "What came back")
    head = dmc.TableThead(dmc.TableTr([dmc.TableTh(heading) for heading in headings]))
    table = dmc.Table([head, dmc.TableTbody([_delivery(one) for one in sent])], verticalSpacing="xs")
    more = f"The newest {SHOWN}; `pathscope webhooks deliveries {webhook.id}` lists up to a hundred."
    # A region that can be scrolled by keyboard, which a row without a link could not.
    region = html.Div(
        table,
        className="webhook-deliveries",
        tabIndex=0,
        role="region",
        **attributes({"aria-label": f"Deliveries of webhook {webhook.id}"}),
    )
    return html.Div([region, *([dmc.Text(more, size="sm", c="dimmed")] if len(sent) >= SHOWN else [])])


def _delivery(delivery: DeliveryOut) -> Component:
    run = [" of ", _run(delivery.run_id)] if delivery.run_id else []
    return dmc.TableTr(
        [
            dmc.TableTd([html.Code(delivery.type), *run]),
            dmc.TableTd(_badge(delivery)),
            dmc.TableTd(str(delivery.attempts)),
            dmc.TableTd(_ago(delivery.attempted_at) if delivery.attempted_at else "not tried yet"),
            dmc.TableTd(_came_back(delivery), className="webhook-answer"),
        ]
    )


def _came_back(delivery: DeliveryOut) -> str:
    if delivery.error:
        return delivery.error
    return f"HTTP {delivery.response}" if delivery.response else ""


def _ago(moment: datetime) -> Component:
    """How long ago in its largest unit, so that the page has news of it each minute at most."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    words = "just now" if seconds < 60 else f"{' '.join(duration_text(seconds).split()[:2])} ago"
    return html.Time(words, dateTime=moment.isoformat(), title=f"{moment:%Y-%m-%d %H:%M:%S} UTC")
