"""Issue a document in the transaction of the act that calls for it."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.identifiers import new_id
from services.requests.clock.rules import LOCAL
from services.requests.documents import repository
from services.requests.documents.rules import document_number, newest

#: Who signs while no unit has the case.
NO_UNIT = "一窗受理窗口"


async def issue(
    session: AsyncSession,
    case: Any,
    kind: str,
    facts: dict[str, Any],
    *,
    case_version: int,
    now: datetime,
) -> None:
    """Give a document its number and date and keep what it says, without names."""
    today = now.astimezone(LOCAL).date()
    issuer = case.unit_name or NO_UNIT
    serial = await repository.take_serial(session, f"document:{issuer}:{kind}:{today.year}")
    about = {
        "item_name": case.item_name,
        "case_number": case.case_number,
        "submitted_on": case.submitted_at.astimezone(LOCAL).date().isoformat(),
    }
    await repository.insert_document(
        session,
        {
            "id": new_id(),
            "case_id": case.id,
            "kind": kind,
            "number": document_number(issuer, kind, today.year, serial),
            "issuer": issuer,
            "case_version": case_version,
            "issued_on": today,
            "template": newest(kind),
            "facts": about | facts,
        },
    )
