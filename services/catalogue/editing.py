"""What all that people write has in common: who may change it, who wrote it, what was done to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from servicekit.auth import Caller
from servicekit.errors import NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Hand:
    """Who takes a step: an account, by id and name."""

    id: str
    name: str | None

    @classmethod
    def of(cls, caller: Caller) -> "Hand":
        return cls(str(caller.account_id), caller.name)


def changeable(caller: Caller, row: Row | None, expected: int, missing: type[NotFound]) -> Row:
    """A locked row, when the caller may change it and has read it as it is.

    Raises:
        NotFound: as `missing`, there is none.
        WrongDivision: outside the caller's division.
        StaleVersion: somebody else changed it since it was read.
    """
    if row is None:
        raise missing
    known: Any = row
    caller.ensure_covers(known.division_code)
    if known.version != expected:
        raise StaleVersion
    return row


def authors(before: Iterable[str] | None, hand: Hand) -> list[str]:
    """Everybody who had a hand in a text: whoever wrote before stays one of them."""
    return list(dict.fromkeys([*(before or ()), hand.id]))


def remembered(
    hand: Hand,
    action: str,
    before: str | None,
    after: str,
    at: datetime,
    *,
    number: int | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """A line of the history of an item or a bundle: who did what, when and why."""
    return {
        "id": new_id(),
        "action": action,
        "from_status": before,
        "to_status": after,
        "version_number": number,
        "actor": hand.id,
        "actor_name": hand.name,
        "reason": reason,
        "happened_at": at,
    }
