"""Asking for a seal: the worker holds the keys, and seals once the archiving is committed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.timers import set_timer

SEAL = "archive-seal"


async def ask_for_seal(session: AsyncSession, case_id: UUID, now: datetime) -> None:
    """Have a case sealed that has just been archived."""
    await set_timer(session, SEAL, case_id, now)
