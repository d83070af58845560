"""Events of the sample service."""

from typing import ClassVar
from uuid import UUID

from contracts.envelope import Event

TOPIC = "sample.notes.v1"
STATES = "sample.states.v1"


class NoteWritten(Event):
    event_type: ClassVar[str] = "cn.yichuang.sample.note-written.v1"
    topic: ClassVar[str] = TOPIC
    key_field: ClassVar[str] = "note_id"

    note_id: UUID
    title: str


class NoteRecorded(Event):
    """The full state of a note."""

    event_type: ClassVar[str] = "cn.yichuang.sample.note-recorded.v1"
    topic: ClassVar[str] = STATES
    key_field: ClassVar[str] = "note_id"

    note_id: UUID
    title: str
    revision: int
