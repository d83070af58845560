"""What is searched: one document for each item the public sees, and who may be shown it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.values import Channel
from services.catalogue.vocabulary import Audience, ServiceObject

AROUND_THE_CLOCK = "around-the-clock"
_BIT = {
    str(value): 1 << n
    for n, value in enumerate([*Channel, *Audience, *ServiceObject, AROUND_THE_CLOCK])
}


def flags_of(values: Iterable[str]) -> int:
    """Channels, audiences and day-and-night as bits, so that a filter is one comparison."""
    bits = 0
    for value in values:
        # A value that an old version holds and the vocabulary no longer does is no filter.
        bits |= _BIT.get(str(value), 0)
    return bits


@dataclass(frozen=True, slots=True)
class Document:
    """One item as search knows it."""

    item_id: UUID
    division_code: str
    name: str
    aliases: tuple[str, ...]
    summary: str
    #: Of the name and the aliases, see `words.spell_all`.
    spelling: str
    flags: int
    #: What is shown of it beside name, summary and code; documents that show the same share it.
    shown: Mapping[str, Any]
    #: `item_code`; a bundle's and a theme's own stands in what is shown.
    item_code: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which documents may be shown: of these divisions, with all of these flags."""

    divisions: frozenset[str] | None = None
    flags: int = 0


EVERYWHERE = Scope()
