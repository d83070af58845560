"""Queries of claims."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.identifiers import new_id
from services.requests.claims.rules import WINDOW

_COUNT = text("""
INSERT INTO claim_attempt AS a (subject, attempts, counted_from) VALUES (:subject, 1, :now)
ON CONFLICT (subject) DO UPDATE SET
    attempts = CASE WHEN a.counted_from <= :over THEN 1 ELSE a.attempts + 1 END,
    counted_from = CASE WHEN a.counted_from <= :over THEN :now ELSE a.counted_from END
RETURNING attempts
""")
_FORGET = text("DELETE FROM claim_attempt WHERE subject = ANY(:subjects)")
_LOCK = text("""
SELECT r.id, r.number, r.division_code, r.applicant_id, r.identity_index, r.mobile_index,
    r.submitted_by
FROM citizen_request r
WHERE r.number = :number
    OR r.id = (SELECT c.request_id FROM service_case c WHERE c.case_number = :number)
FOR UPDATE OF r
""")
_PARTY = text("""
SELECT id, account_id, identity_index, mobile_index, valid_until FROM request_party
WHERE request_id = :request_id AND role = :role
""")
_CLAIM = text("""
INSERT INTO request_party (id, request_id, role, account_id, claimed_at)
VALUES (:id, :request_id, 'claimant', :account_id, :now)
""")
_CLAIM_AS_AGENT = text(
    "UPDATE request_party SET account_id = :account_id, claimed_at = :now WHERE id = :id"
)
_CASES = text(
    "SELECT id, case_number FROM service_case WHERE request_id = :request_id ORDER BY case_number"
)


async def count_attempt(session: AsyncSession, subject: str, now: datetime) -> int:
    """Count one more try; return how many there were in the window, this one included.

    Concurrency: tries of one subject go one after the other, each until its commit.
    """
    values = {"subject": subject, "now": now, "over": now - WINDOW}
    return int((await session.execute(_COUNT, values)).scalar_one())


async def forget_attempts(session: AsyncSession, *subjects: str) -> None:
    """A try was right: the wrong ones before it no longer count."""
    await session.execute(_FORGET, {"subjects": list(subjects)})


async def lock_request(session: AsyncSession, number: str) -> Any | None:
    """A request by its number or by that of one of its cases, locked until the commit."""
    return (await session.execute(_LOCK, {"number": number})).one_or_none()


async def find_party(session: AsyncSession, request_id: UUID, role: str) -> Any | None:
    """The party of a request in a role."""
    values = {"request_id": request_id, "role": role}
    return (await session.execute(_PARTY, values)).one_or_none()


async def add_claimant(
    session: AsyncSession, request_id: UUID, account_id: UUID, now: datetime
) -> None:
    """Let an account speak for the applicant of a locked request."""
    values = {"id": new_id(), "request_id": request_id, "account_id": account_id, "now": now}
    await session.execute(_CLAIM, values)


async def give_to_agent(
    session: AsyncSession, party_id: UUID, account_id: UUID, now: datetime
) -> None:
    """Let an account be the agent of a locked request."""
    values = {"id": party_id, "account_id": account_id, "now": now}
    await session.execute(_CLAIM_AS_AGENT, values)


async def list_cases(session: AsyncSession, request_id: UUID) -> list[tuple[UUID, str]]:
    """Id and number of every case of a request."""
    rows = await session.execute(_CASES, {"request_id": request_id})
    return [(row.id, row.case_number) for row in rows]
