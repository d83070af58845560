"""How much of a person each role sees before asking for more: pure functions.

Source of the forms: `servicekit.personal_data`; who sees which is ours.
"""

from dataclasses import dataclass
from enum import StrEnum

from servicekit.auth import Caller
from servicekit.personal_data import mask_identity_number, mask_mobile, mask_name


class Sight(StrEnum):
    """How much is shown."""

    whole = "whole"
    #: Enough to call somebody up at a window and to tell two people apart.
    masked = "masked"
    #: That there is somebody; nothing by which to know them.
    hidden = "hidden"


#: Role → what it sees; with several roles the widest counts, with none of them nothing.
SIGHTS: dict[str, Sight] = {
    "window-clerk": Sight.masked,
    "handler": Sight.masked,
    "supervisor": Sight.masked,
    "village-agent": Sight.masked,
    "auditor": Sight.hidden,
}


@dataclass(frozen=True, slots=True)
class Person:
    """A person's data as far as somebody sees them."""

    name: str
    identity_number: str
    mobile: str


def sight_of(caller: Caller, *, is_own: bool) -> Sight:
    """How much a caller sees of a person; `is_own` when they speak for that person."""
    if is_own:
        return Sight.whole
    seen = {SIGHTS[role] for role in caller.roles if role in SIGHTS}
    return Sight.masked if Sight.masked in seen else Sight.hidden


def shown(person: Person, sight: Sight) -> Person:
    """The person as that sight shows them."""
    if sight is Sight.whole:
        return person
    if sight is Sight.masked:
        return Person(
            mask_name(person.name),
            mask_identity_number(person.identity_number),
            mask_mobile(person.mobile),
        )
    return Person(
        *("*" * len(value) for value in (person.name, person.identity_number, person.mobile))
    )
