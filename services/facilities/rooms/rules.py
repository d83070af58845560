"""Areas of rooms: a room is counted once however many uses it has."""

from collections.abc import Sequence
from typing import NamedTuple


class RoomArea(NamedTuple):
    """What matters of a room here; square metres."""

    area_m2: float | None
    uses: Sequence[str]


def total(rooms: Sequence[RoomArea]) -> float:
    """Area of all rooms that have one, each once."""
    return round(sum(room.area_m2 or 0 for room in rooms), 2)


def shared(rooms: Sequence[RoomArea]) -> float:
    """Area of the rooms with more than one use."""
    return total([room for room in rooms if len(room.uses) > 1])


def by_use(rooms: Sequence[RoomArea]) -> dict[str, tuple[int, float | None]]:
    """Use → (rooms, their area); the areas of different uses overlap and do not add up.

    The area is None where one of the rooms has none.
    """
    found: dict[str, list[RoomArea]] = {}
    for room in rooms:
        for use in room.uses:
            found.setdefault(use, []).append(room)
    return {
        use: (
            len(serving),
            None if any(room.area_m2 is None for room in serving) else total(serving),
        )
        for use, serving in sorted(found.items())
    }
