"""What else happens in the transaction in which a case ends or is archived."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.requests.archives.sealing import ask_for_seal

CaseHook = Callable[[AsyncSession, UUID, datetime], Awaitable[None]]

#: Called when a case reaches an end: refused, withdrawn or completed.
ON_ENDED: tuple[CaseHook, ...] = ()
#: Called when a case is archived.
ON_ARCHIVED: tuple[CaseHook, ...] = (ask_for_seal,)
