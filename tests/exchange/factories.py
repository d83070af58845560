"""Events as other services publish them, and their delivery."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import Envelope, Event
from contracts.samples import samples_of
from servicekit import inbox
from servicekit.identifiers import new_id
from services.exchange.notices.consumers import TOLD, subscription
from services.exchange.notices.templates import load_templates
from tests.support.service import RunningService

DATA = Path(__file__).parents[2] / "data"
SUBSCRIPTION = subscription(load_templates(DATA, TOLD))


def happened(event_class: type[Event], **changes: Any) -> Any:
    """An event like its first published sample, with changes."""
    body = next(iter(samples_of(event_class).values()))
    return event_class.model_validate(body | changes)


def envelope_of(event: Event, event_id: UUID | None = None) -> Envelope:
    return Envelope(
        id=event_id or new_id(),
        type=event.event_type,
        source=event.source,
        subject=event.key,
        time=datetime.now(UTC),
    )


async def deliver(service: RunningService, event: Event, event_id: UUID | None = None) -> None:
    """Hand an event to the consumer in one transaction, as the bus does."""
    envelope = envelope_of(event, event_id)
    async with service.database.transaction() as session:
        if await inbox.first_time(session, SUBSCRIPTION.group, envelope.id):
            await handle(session, event, envelope)


async def handle(session: Any, event: Event, envelope: Envelope) -> None:
    """Only the handlers: without the inbox."""
    for handler in SUBSCRIPTION.handlers[type(event)]:
        await handler(session, event, envelope)


def somebody() -> UUID:
    return uuid4()
