"""The worker process of the sample service."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from servicekit.bus import Handlers, Subscription
from servicekit.copies import keep_newest
from servicekit.outbox import record
from servicekit.rebuild import Projection
from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from tests.servicekit.sample.events import STATES, NoteRecorded, NoteWritten
from tests.servicekit.sample.models import Effect, NoteCopy

_COPY = NoteCopy.metadata.tables["note_copy"]


async def note_effect(session: AsyncSession, event: NoteWritten, _: Envelope) -> None:
    await session.execute(insert(Effect).values(subject=str(event.note_id), what=event.title))


async def keep_copy(session: AsyncSession, event: NoteRecorded, _: Envelope) -> None:
    await keep_newest(session, _COPY, event.model_dump(), by=("revision",))


async def announce(session: AsyncSession, subject_id: UUID) -> None:
    """A timer's handler: an effect and an event."""
    await session.execute(insert(Effect).values(subject=str(subject_id), what="announced"))
    await record(session, NoteWritten(note_id=subject_id, title="announced"))


COPIES: Handlers = {NoteRecorded: [keep_copy]}
PROJECTIONS = {"copies": Projection(STATES, ["note_copy"], COPIES)}


def create_worker(_: ServiceSettings) -> WorkerParts:
    handlers: dict[Any, Any] = {NoteWritten: [note_effect], **COPIES}
    return WorkerParts(
        subscriptions=[Subscription("sample.effects", handlers)], timers={"announce": announce}
    )
