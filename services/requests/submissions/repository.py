"""The intake statement: everything a submission leaves behind, in one round trip.

Idempotency key, request, cases, history, timers and outbox are written by one statement that may
carry many submissions. A submission whose key was used before leaves nothing; the statement
returns the ids of those that were written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.idempotency import Key, StoredAnswer

_INSERT = """
WITH input AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::uuid[],
        $8::text[], $9::text[], $10::bytea[], $11::text[], $12::bytea[], $13::text[], $14::text[],
        $15::timestamptz[], $16::date[], $17::uuid[], $18::text[], $19::text[], $20::text[]
    ) AS t(
        id, caller, key, body_hash, answer, number, applicant_id, applicant_name, identity_number,
        identity_index, mobile, mobile_index, division_code, channel, submitted_at, received_on,
        event_id, event_type, event_payload, traceparent
    )
), claimed AS (
    INSERT INTO idempotency_key (caller, key, body_hash, status, headers, body)
    SELECT caller, key, body_hash, 201, '{"content-type": "application/json"}', answer
    FROM input ORDER BY caller, key
    ON CONFLICT DO NOTHING
    RETURNING caller, key, body
), accepted AS (
    -- The answer holds the request's id: two equal keys in one statement stay apart.
    SELECT input.* FROM input JOIN claimed
    ON claimed.caller = input.caller AND claimed.key = input.key AND claimed.body = input.answer
), request AS (
    INSERT INTO citizen_request (
        id, number, applicant_id, applicant_name, identity_number, identity_index, mobile,
        mobile_index, division_code, channel, submitted_at, received_on
    )
    SELECT id, number, applicant_id, applicant_name, identity_number, identity_index, mobile,
        mobile_index, division_code, channel, submitted_at, received_on
    FROM accepted
), case_input AS (
    SELECT c.*, accepted.applicant_id, accepted.division_code, accepted.submitted_at,
        accepted.received_on
    FROM unnest(
        $21::uuid[], $22::uuid[], $23::text[], $24::uuid[], $25::text[], $26::text[], $27::int[],
        $28::int[], $29::text[], $30::text[], $31::text[], $32::text[], $33::jsonb[], $34::jsonb[],
        $35::date[], $36::timestamptz[]
    ) AS c(
        id, request_id, case_number, item_id, item_code, item_name, item_version,
        promised_days, promised_unit, unit_code, unit_name, answers, materials, routing,
        due_on, silence_ends_at
    ) JOIN accepted ON accepted.id = c.request_id
), cases AS (
    INSERT INTO service_case (
        id, request_id, case_number, applicant_id, division_code, item_id, item_code, item_name,
        item_version, promised_days, promised_unit, unit_code, unit_name, state, version, answers,
        materials, routing, received_on, due_on
    )
    SELECT id, request_id, case_number, applicant_id, division_code, item_id, item_code, item_name,
        item_version, promised_days, promised_unit, unit_code, unit_name, 'received', 1, answers,
        materials, routing, received_on, due_on
    FROM case_input
), history AS (
    INSERT INTO case_history (case_id, version, action, to_state, actor_id, happened_at)
    SELECT id, 1, 'submit', 'received', applicant_id, submitted_at FROM case_input
), timers AS (
    INSERT INTO timer (kind, subject_id, due_at)
    SELECT 'deemed-acceptance', id, silence_ends_at FROM case_input
    WHERE silence_ends_at IS NOT NULL
), events AS (
    INSERT INTO outbox_message (id, topic, key, type, payload, traceparent)
    SELECT event_id, 'yichuang.requests.v1', id::text, event_type, event_payload::jsonb, traceparent
    FROM accepted
)
SELECT id FROM accepted
"""
_STORED = """
SELECT body_hash, status, headers::text AS headers, body FROM idempotency_key
WHERE caller = $1 AND key = $2
"""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case of a submission; the order of fields is that of the statement."""

    id: UUID
    request_id: UUID
    case_number: str
    item_id: UUID
    item_code: str
    item_name: str
    item_version: int
    promised_days: int
    promised_unit: str
    unit_code: str | None
    unit_name: str | None
    answers: str
    materials: str
    routing: str
    due_on: date | None
    silence_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """One submission; the order of fields is that of the statement."""

    id: UUID
    caller: str
    key: str
    body_hash: bytes
    answer: bytes
    number: str
    applicant_id: UUID
    applicant_name: str
    identity_number: str
    identity_index: bytes
    mobile: str
    mobile_index: bytes
    division_code: str
    channel: str
    submitted_at: datetime
    received_on: date | None
    event_id: UUID
    event_type: str
    event_payload: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission with its cases, ready to be written."""

    row: SubmissionRow
    cases: tuple[CaseRow, ...]


_SUBMISSION_FIELDS = [field.name for field in fields(SubmissionRow)]
_CASE_FIELDS = [field.name for field in fields(CaseRow)]


async def insert_submissions(
    pool: "asyncpg.Pool[asyncpg.Record]", submissions: Sequence[Submission]
) -> list[bool]:
    """Write submissions in one transaction; tell for each whether it was new."""
    rows = [submission.row for submission in submissions]
    cases = [case for submission in submissions for case in submission.cases]
    arguments = [[getattr(row, name) for row in rows] for name in _SUBMISSION_FIELDS]
    arguments += [[getattr(case, name) for case in cases] for name in _CASE_FIELDS]
    written = {record["id"] for record in await pool.fetch(_INSERT, *arguments)}
    return [row.id in written for row in rows]


async def get_stored_answer(pool: "asyncpg.Pool[asyncpg.Record]", key: Key) -> StoredAnswer:
    """The answer the first use of a key got; the statement above has just met its row."""
    row = await pool.fetchrow(_STORED, key.caller, key.key)
    assert row is not None
    return StoredAnswer(row["body_hash"], row["status"], orjson.loads(row["headers"]), row["body"])


_OWN = text("""
SELECT r.id, r.number, r.division_code, r.channel, r.submitted_at, r.received_on, (
    SELECT json_agg(json_build_object(
        'id', c.id, 'number', c.case_number, 'item_name', c.item_name, 'state', c.state,
        'unit_name', c.unit_name, 'due_on', c.due_on
    ) ORDER BY c.case_number) FROM service_case c WHERE c.request_id = r.id
) AS cases
FROM citizen_request r
WHERE r.applicant_id = :applicant_id AND (CAST(:after AS uuid) IS NULL OR r.id < :after)
ORDER BY r.id DESC LIMIT :limit
""")


async def list_of_applicant(
    session: AsyncSession, applicant_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """An applicant's requests, newest first (ids are time-ordered), each with its cases."""
    values = {"applicant_id": applicant_id, "after": after, "limit": limit}
    return (await session.execute(_OWN, values)).all()
