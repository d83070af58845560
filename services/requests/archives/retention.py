"""保管期限: which item is kept how long."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from services.requests.archives import repository
from services.requests.archives.schemas import TermWrite


async def record(session: AsyncSession, scope: str, body: TermWrite, caller: Caller) -> Any:
    """Record or replace a term; what is sealed already keeps the one it was sealed with."""
    values = body.model_dump() | {
        "changed_by": caller.account_id,
        "changed_at": datetime.now(UTC),
    }
    found = await repository.find_term(session, scope)
    if found is None:
        await repository.insert_term(session, {"scope": scope, "version": 1, **values})
    else:
        await repository.update_term(session, scope, {"version": found.version + 1, **values})
        session.expire(found)
    return await repository.find_term(session, scope)
