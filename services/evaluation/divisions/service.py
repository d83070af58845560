"""What the other features ask of the copies of divisions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import SIGNIFICANT_DIGITS, division_at, division_prefix
from servicekit.errors import Invalid
from services.evaluation.divisions import repository


class DivisionUnknown(Invalid):
    code, title = "division-unknown", "没有这个区划，或已经撤并"


@dataclass(frozen=True, slots=True)
class Community:
    """A village or urban community with its households, where they are recorded."""

    code: str
    name: str
    households: int | None
    households_year: int | None


async def ensure_known(session: AsyncSession, code: str) -> Any:
    """The division's code, name and level.

    Raises:
        DivisionUnknown: it does not exist or was closed.
    """
    row = await repository.find(session, code)
    if row is None:
        raise DivisionUnknown(division_code=code)
    return row


async def names(session: AsyncSession, codes: Iterable[str]) -> dict[str, str]:
    """Names of divisions; what is not known is left out."""
    return await repository.names(session, sorted(set(codes)))


async def communities(session: AsyncSession, within: str, year: int) -> Sequence[Community]:
    """Every community in force in a division, with the figures of the year or the last before."""
    figures = await repository.households(session, within, year)
    return [
        Community(row.code, row.name, *figures.get(row.code, (None, None)))
        for row in await repository.communities(session, within)
    ]


def chain(code: str) -> list[str]:
    """A division and everything above it, highest first: 14…, 1408…, 140802…, and so on."""
    length = len(division_prefix(code))
    return [division_at(code, level) for level, n in SIGNIFICANT_DIGITS.items() if n <= length]
