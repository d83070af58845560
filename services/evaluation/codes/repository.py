"""Queries of the codes of platforms."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.models import PlatformCode


async def list_codes(session: AsyncSession, platform: str) -> Sequence[Any]:
    """The codes of one platform."""
    query = (
        select(
            col(PlatformCode.field),
            col(PlatformCode.name),
            col(PlatformCode.code),
            col(PlatformCode.source),
        )
        .where(col(PlatformCode.platform) == platform)
        .order_by(col(PlatformCode.field), col(PlatformCode.code), col(PlatformCode.name))
    )
    return (await session.execute(query)).all()


async def replace_codes(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write all codes anew; the file's word holds."""
    await session.execute(delete(PlatformCode))
    await session.execute(insert(PlatformCode), list(rows))
