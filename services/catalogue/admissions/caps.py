"""总量控制: how many of a kind a county lets be handed to its villages at once."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.etags import StaleVersion
from servicekit.outbox import now
from services.catalogue.admissions import repository
from services.catalogue.admissions.checks import ensure_county
from services.catalogue.admissions.errors import CapBelowUse
from services.catalogue.models import AdmissionKind


async def put_cap(
    session: AsyncSession,
    caller: Caller,
    *,
    county: str,
    kind: AdmissionKind,
    most: int,
    document: str,
    expected: int | None,
) -> Any:
    """Set a county's total for a kind.

    Raises:
        WrongDivision: not the caller's county, or not a county.
        StaleVersion: somebody else changed it since it was read.
        CapBelowUse: more are admitted already.

    Concurrency: locks the total against approvals.
    """
    ensure_county(county)
    caller.ensure_covers(county)
    known = await repository.lock_cap(session, county, kind)
    if (known.version if known else None) != expected:
        raise StaleVersion
    if await repository.count_admitted(session, county, kind) > most:
        raise CapBelowUse
    await repository.put_cap(
        session,
        division_code=county,
        kind=kind,
        most=most,
        document=document,
        version=(expected or 0) + 1,
        changed_by=str(caller.account_id),
        changed_at=now(),
    )
    return await repository.lock_cap(session, county, kind)


async def list_caps(session: AsyncSession, county: str) -> list[dict[str, Any]]:
    """A county's totals, and how many of each are taken, as `CapRead` describes them."""
    caps = await repository.list_caps(session, county)
    return [await read(session, cap) for cap in caps]


async def read(session: AsyncSession, cap: Any) -> dict[str, Any]:
    """A total as `CapRead` describes it."""
    return {
        "division_code": cap.division_code,
        "kind": cap.kind,
        "most": cap.most,
        "admitted": await repository.count_admitted(session, cap.division_code, cap.kind),
        "document": cap.document,
        "version": cap.version,
    }
