"""The envelope of every event: CloudEvents 1.0 in Kafka's binary mode."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

#: Kafka header prefix of CloudEvents attributes. Source: CloudEvents Kafka protocol binding 1.0 §3.2.
HEADER_PREFIX = "ce_"
SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"


class Event(BaseModel):
    """A fact that happened, or the full state of an aggregate. Frozen; readers ignore unknown fields."""

    #: Errors go to logs and dead letters: they say what is wrong, not what was given.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    #: `cn.yichuang.<service>.<fact>.v1`
    event_type: ClassVar[str]
    topic: ClassVar[str]
    #: The field whose value is the Kafka key: one aggregate stays in order on one partition.
    key_field: ClassVar[str]

    @property
    def key(self) -> str:
        """The Kafka key and CloudEvents subject."""
        return str(getattr(self, self.key_field))

    @property
    def source(self) -> str:
        """The CloudEvents source: the service that owns the fact."""
        return "/" + self.event_type.split(".")[2]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What travels beside the body."""

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    traceparent: str | None = None

    def headers(self) -> list[tuple[str, bytes]]:
        """Kafka headers of this envelope."""
        pairs = [
            ("ce_specversion", SPEC_VERSION),
            ("ce_id", str(self.id)),
            ("ce_type", self.type),
            ("ce_source", self.source),
            ("ce_subject", self.subject),
            ("ce_time", self.time.isoformat()),
            ("content-type", CONTENT_TYPE),
        ]
        if self.traceparent:
            pairs.append(("traceparent", self.traceparent))
        return [(name, value.encode()) for name, value in pairs]

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> Self:
        """Read an envelope from Kafka headers.

        Raises:
            ValueError: a required attribute is missing or malformed.
        """
        values = {name: value.decode() for name, value in headers if value is not None}
        try:
            return cls(
                id=UUID(values["ce_id"]),
                type=values["ce_type"],
                source=values["ce_source"],
                subject=values.get("ce_subject", ""),
                time=datetime.fromisoformat(values["ce_time"]),
                traceparent=values.get("traceparent"),
            )
        except KeyError as missing:
            raise ValueError(f"the event lacks the header {missing}") from None
