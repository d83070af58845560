"""What is read of submissions: stored answers, duplicates, and a resident's own requests."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from servicekit.idempotency import Key, StoredAnswer
from services.requests.models import CitizenRequest, PartyRole
from services.requests.models import RequestParty as P
from services.requests.submissions.duplicates import (
    DUPLICATE_DAYS,
    DUPLICATES_SHOWN,
    duplicates_of,
)

_STORED = """
SELECT body_hash, status, headers::text AS headers, body FROM idempotency_key
WHERE caller = $1 AND key = $2
"""
_CODES = "SELECT item_code FROM service_case s WHERE s.request_id = written.id"
_DUPLICATES_OF = (
    f"SELECT {duplicates_of('written', _CODES)} FROM citizen_request written WHERE written.id = $1"  # noqa: S608
)


async def get_stored_answer(pool: "asyncpg.Pool[asyncpg.Record]", key: Key) -> StoredAnswer:
    """The answer the first use of a key got; the intake statement has just met its row."""
    row = await pool.fetchrow(_STORED, key.caller, key.key)
    assert row is not None
    return StoredAnswer(row["body_hash"], row["status"], orjson.loads(row["headers"]), row["body"])


async def find_duplicates_of(pool: "asyncpg.Pool[asyncpg.Record]", request_id: UUID) -> bytes:
    """What the first answer said were duplicates of a request, as a JSON array."""
    found: str | None = await pool.fetchval(_DUPLICATES_OF, request_id)
    return (found or "[]").encode()


_CASES = """(
    SELECT json_agg(json_build_object(
        'id', c.id, 'number', c.case_number, 'item_code', c.item_code, 'item_name', c.item_name,
        'state', c.state, 'unit_name', c.unit_name, 'due_on', c.due_on
    ) ORDER BY c.case_number) FROM service_case c WHERE c.request_id = r.id
) AS cases"""
_SHOWN = "r.id, r.number, r.division_code, r.channel, r.submitted_at, r.received_on"
#: Requests somebody speaks for: those under their account, and those they have claimed.
_OWN = text(f"""
WITH spoken AS MATERIALIZED (
    SELECT request_id, bool_or(role = 'agent') AS as_agent FROM request_party
    WHERE account_id = :account_id AND (CAST(:after AS uuid) IS NULL OR request_id < :after)
    GROUP BY request_id ORDER BY request_id DESC LIMIT :limit
), r AS (
    SELECT {_SHOWN}, coalesce(s.as_agent, false) AS as_agent
    FROM (
        SELECT {_SHOWN} FROM citizen_request r
        WHERE applicant_id = :account_id AND (CAST(:after AS uuid) IS NULL OR id < :after)
        ORDER BY id DESC LIMIT :limit
    ) AS r LEFT JOIN spoken s ON s.request_id = r.id
    UNION ALL
    SELECT {_SHOWN}, s.as_agent
    FROM spoken s JOIN citizen_request r ON r.id = s.request_id
    WHERE r.applicant_id <> :account_id
)
SELECT {_SHOWN}, r.as_agent, {_CASES}
FROM r ORDER BY r.id DESC LIMIT :limit
""")  # noqa: S608 - the parts are ours
_REQUEST = text(f"""
SELECT r.id, r.number, r.division_code, r.channel, r.submitted_at, r.received_on, r.applicant_id,
    r.applicant_name, r.identity_number, r.mobile, r.submitted_by, r.submitted_unit, r.window_code,
    ARRAY(
        SELECT p.account_id FROM request_party p
        WHERE p.request_id = r.id AND p.account_id IS NOT NULL
    ) AS claimed_by,
    (SELECT b.bundle_code FROM request_bundle b WHERE b.request_id = r.id) AS bundle_code,
    ARRAY(SELECT c.unit_code FROM service_case c WHERE c.request_id = r.id) AS unit_codes, {_CASES}
FROM citizen_request r WHERE r.id = :request_id
""")  # noqa: S608 - the part is ours
_TO_PRINT = text("""
SELECT case_number, item_id, item_name, unit_name, received_on, due_on, promised_days,
    promised_unit, materials FROM service_case WHERE request_id = :request_id ORDER BY case_number
""")
_PARTIES = text(
    "SELECT role, account_id, name, identity_number, mobile, uscc, relation, authority, valid_until "
    "FROM request_party WHERE request_id = :request_id ORDER BY role"
)
_LOOKED_UP = text("""
SELECT r.number, r.submitted_at, r.received_on, (
    SELECT json_agg(json_build_object(
        'number', c.case_number, 'item_name', c.item_name, 'state', c.state,
        'unit_name', c.unit_name, 'received_on', c.received_on, 'accepted_on', c.accepted_on,
        'due_on', c.due_on, 'completed_on', c.completed_on
    ) ORDER BY c.case_number) FROM service_case c WHERE c.request_id = r.id
) AS cases
FROM citizen_request r WHERE r.number = :number
""")
_POSSIBLE = text(f"""
SELECT r.number, c.item_name, r.submitted_at, c.state
FROM citizen_request r JOIN service_case c ON c.request_id = r.id
WHERE c.item_code = ANY(:item_codes)
    AND r.submitted_at > now() - interval '{DUPLICATE_DAYS} days'
    AND (r.identity_index = CAST(:identity_index AS bytea)
         OR r.applicant_id = CAST(:account_id AS uuid))
    AND c.state NOT IN ('refused', 'withdrawn')
ORDER BY r.id DESC LIMIT {DUPLICATES_SHOWN}
""")  # noqa: S608 - the parts are numbers of ours


async def list_of_account(
    session: AsyncSession, account_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Requests an account speaks for, newest first (ids are time-ordered), each with its cases."""
    values = {"account_id": account_id, "after": after, "limit": limit}
    return (await session.execute(_OWN, values)).all()


async def find_request(session: AsyncSession, request_id: UUID) -> Any | None:
    """A request with its cases, personal data encrypted."""
    return (await session.execute(_REQUEST, {"request_id": request_id})).one_or_none()


async def list_cases_to_print(session: AsyncSession, request_id: UUID) -> Sequence[Any]:
    """The cases of a request with what was handed in."""
    return (await session.execute(_TO_PRINT, {"request_id": request_id})).all()


async def list_parties(session: AsyncSession, request_id: UUID) -> Sequence[Any]:
    """The parties of a request beside its applicant, personal data encrypted."""
    return (await session.execute(_PARTIES, {"request_id": request_id})).all()


async def find_by_number(session: AsyncSession, number: str) -> Any | None:
    """How a request stands, without anything of the person."""
    return (await session.execute(_LOOKED_UP, {"number": number})).one_or_none()


async def list_possible_duplicates(
    session: AsyncSession,
    item_codes: list[str],
    *,
    identity_index: bytes | None,
    account_id: UUID | None,
) -> Sequence[Any]:
    """Recent cases of a person (or of an account) for the same items that are not over without result."""
    values = {
        "item_codes": item_codes,
        "identity_index": identity_index,
        "account_id": account_id,
    }
    return (await session.execute(_POSSIBLE, values)).all()


def party_columns() -> tuple[Any, ...]:
    """Who else speaks for a request's applicant, as columns of a query on `citizen_request`.

    `claimed_by`, `agent_id` and `agent_until`: see `standing.acts_for`.
    """
    here = col(P.request_id) == col(CitizenRequest.id)
    claimants = select(func.array_agg(col(P.account_id))).where(
        here, col(P.account_id).is_not(None)
    )
    agent = select(col(P.account_id)).where(here, col(P.role) == PartyRole.agent)
    until = select(col(P.valid_until)).where(here, col(P.role) == PartyRole.agent)
    return (
        claimants.scalar_subquery().label("claimed_by"),
        agent.scalar_subquery().label("agent_id"),
        until.scalar_subquery().label("agent_until"),
    )
