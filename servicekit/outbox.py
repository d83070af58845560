"""The outbox: events are written with the state they tell of; `servicekit.relay` sends them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event
from servicekit.errors import Invalid
from servicekit.identifiers import new_id
from servicekit.tracing import traceparent

#: Half of what Kafka takes by default: PostgreSQL writes JSON with more spaces than we do.
MAX_EVENT_BYTES = 524_288

_RECORD = text(
    "INSERT INTO outbox_message (id, topic, key, type, payload, traceparent) "
    "VALUES (:id, :topic, :key, :type, CAST(:payload AS jsonb), :traceparent)"
)


class EventTooLarge(Invalid):
    code, title = "content-too-large", "内容过长，请精简后再提交"


def row_of(event: Event) -> dict[str, Any]:
    """The outbox row of an event, for statements that write it themselves.

    Raises:
        EventTooLarge: Kafka would refuse it, and everything behind it would wait for ever.
    """
    payload = event.model_dump_json()
    if len(payload.encode()) > MAX_EVENT_BYTES:
        raise EventTooLarge
    return {
        "id": new_id(),
        "topic": event.topic,
        "key": event.key,
        "type": event.event_type,
        "payload": payload,
        "traceparent": traceparent(),
    }


async def record(session: AsyncSession, *events: Event) -> None:
    """Write events in the caller's transaction; neither flushes nor commits."""
    if events:
        await session.execute(_RECORD, [row_of(event) for event in events])


def now() -> datetime:
    """The time of a fact: UTC."""
    return datetime.now(UTC)
