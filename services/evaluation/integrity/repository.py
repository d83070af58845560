"""Queries of doubts and of the numbers of staff."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_STAFF = text(
    "SELECT 1 FROM staff_number WHERE unit_code = :unit_code AND kind = ANY(:kinds) "
    "AND hash = ANY(:hashes) LIMIT 1"
)


async def is_staff(
    session: AsyncSession, unit_code: str, kinds: Sequence[str], hashes: Sequence[bytes]
) -> bool:
    """Whether one of the hashes is of a unit's staff."""
    values: dict[str, Any] = {
        "unit_code": unit_code,
        "kinds": list(kinds),
        "hashes": list(hashes),
    }
    return (await session.execute(_STAFF, values)).first() is not None
