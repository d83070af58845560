"""Which small numbers of a table are withheld, so that no sum or difference gives them away. Pure.

Primary suppression withholds what fewer than a minimum answered or rated. Complementary suppression
withholds more, smallest first, until what is withheld under one total is at least two cells and
at least the minimum together. Source: practice of statistical offices (cell suppression); the
minimum is configured.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contracts.values import SIGNIFICANT_DIGITS, division_prefix


@dataclass(frozen=True, slots=True)
class Cell:
    """A number in a table, and the numbers it is the sum of, if these are shown, too."""

    key: str
    count: int
    parts: tuple["Cell", ...] = field(default=())


def withheld(table: Cell, minimum: int, also: frozenset[str] = frozenset()) -> frozenset[str]:
    """The keys that must not be shown; a count of 0 tells of nobody and may be.

    `also` are to be withheld for reasons outside the table. The parts of a cell must add up to it:
    what belongs to no part is a part of its own.
    """
    hidden: set[str] = set()
    if _is_small(table, minimum) or table.key in also:
        hidden.add(table.key)
    _withhold(table, minimum, also, hidden)
    return frozenset(hidden)


def _withhold(cell: Cell, minimum: int, also: frozenset[str], hidden: set[str]) -> None:
    if cell.key in hidden:
        hidden.update(_keys(cell.parts))  # their sum would be the number withheld
    else:
        counts = ((part.key, part.count) for part in cell.parts)
        hidden.update(group(counts, minimum, also))
    for part in cell.parts:
        _withhold(part, minimum, also, hidden)


def group(
    counts: Iterable[tuple[str, int]], minimum: int, also: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The cells to withhold among those whose total is shown."""
    cells = sorted(((count, key) for key, count in counts if count > 0), reverse=True)
    shown = [each for each in cells if each[0] >= minimum and each[1] not in also]
    left = [each for each in cells if each[0] < minimum or each[1] in also]
    while left and (len(left) < 2 or sum(count for count, _ in left) < minimum) and shown:
        left.append(shown.pop())
    return frozenset(key for _, key in left)


def _is_small(cell: Cell, minimum: int) -> bool:
    return 0 < cell.count < minimum


def _keys(cells: Iterable[Cell]) -> Iterable[str]:
    for cell in cells:
        yield cell.key
        yield from _keys(cell.parts)


def reveals(whole: int, shown: Mapping[str, int], minimum: int) -> bool:
    """Whether a whole and some of its parts, shown at different times, leave a small remainder."""
    return 0 < whole - sum(shown.values()) < minimum


def division_tree(root: str, counts: Mapping[str, int]) -> Cell:
    """The table of a division and everything below it, from counts of places within it.

    What was counted for a division that has parts, and for none of them, is the part `<code>*`.
    """
    length = len(division_prefix(root))
    whole = sum(counts.values())
    deeper = [digits for digits in SIGNIFICANT_DIGITS.values() if digits > length]
    below: dict[str, dict[str, int]] = {}
    direct = 0
    for code, count in counts.items():
        if code == root or not deeper:
            direct += count
        else:
            below.setdefault(code[: deeper[0]].ljust(12, "0"), {})[code] = count
    parts = [division_tree(code, inner) for code, inner in sorted(below.items())]
    if parts and direct:
        parts.append(Cell(f"{root}*", direct))
    return Cell(root, whole, tuple(parts))
