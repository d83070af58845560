"""The intake statement: everything a submission leaves behind, in one round trip.

Idempotency key, request, cases, history, timers and outbox are written by one statement that may
carry many submissions; parties, files and a used-up draft join it only when a submission of the
batch has them. A submission whose key was used before leaves nothing; the statement returns those
that were written, each with what may be its duplicates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, NewType, get_args, get_type_hints
from uuid import UUID

import asyncpg

from services.requests.submissions.duplicates import duplicates_of

#: JSON as text on its way into a jsonb column.
Json = NewType("Json", str)
_PG_TYPES: dict[Any, str] = {
    UUID: "uuid", str: "text", bytes: "bytea", int: "int", date: "date", datetime: "timestamptz",
    Json: "jsonb",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """One submission; fields are named like the columns they go to."""

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
    submitted_by: UUID | None
    submitter_name: str | None
    submitted_unit: str | None
    window_code: str | None
    facility_id: UUID | None
    event_id: UUID
    event_type: str
    event_payload: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case of a submission."""

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
    materials: Json
    routing: Json
    due_on: date | None
    silence_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartyRow:
    """An agent or an organisation."""

    id: UUID
    request_id: UUID
    role: str
    account_id: UUID | None
    name: str
    identity_number: str | None
    identity_index: bytes | None
    mobile: str | None
    mobile_index: bytes | None
    uscc: str | None
    relation: str | None
    authority: Json | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file handed in with a case."""

    id: UUID
    request_id: UUID
    case_id: UUID
    code: str
    position: int
    upload_id: UUID
    origin: str
    reused_from: UUID | None
    added_by: UUID
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """Something a submission uses up or keeps: its draft, or an upload nobody may forget now."""

    request_id: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class BundleRow:
    """The bundle a submission is handed in as."""

    request_id: UUID
    bundle_id: UUID
    bundle_code: str
    version: int


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission with everything of it, ready to be written."""

    row: SubmissionRow
    cases: tuple[CaseRow, ...]
    parties: tuple[PartyRow, ...] = ()
    files: tuple[FileRow, ...] = ()
    uploads: tuple[Claim, ...] = ()
    drafts: tuple[Claim, ...] = ()
    bundles: tuple[BundleRow, ...] = ()

    @property
    def is_plain(self) -> bool:
        return not (self.parties or self.files or self.uploads or self.drafts or self.bundles)


class _Arrays:
    """`unnest($1::uuid[], …) AS t(id, …)` for kinds of rows, with running parameter numbers."""

    def __init__(self) -> None:
        self._next = 1

    def of(self, row: type, alias: str) -> str:
        hints = get_type_hints(row)
        names = [field.name for field in fields(row)]
        types = [_pg_type(hints[name]) for name in names]
        first, self._next = self._next, self._next + len(names)
        arrays = ", ".join(f"${first + step}::{kind}[]" for step, kind in enumerate(types))
        return f"unnest({arrays}) AS {alias}({', '.join(names)})"


def _pg_type(hint: Any) -> str:
    parts = [part for part in get_args(hint) if part is not type(None)]
    return _PG_TYPES[parts[0] if parts else hint]


def _statement(*, plain: bool) -> str:
    arrays = _Arrays()
    base = f"""
WITH input AS (
    SELECT * FROM {arrays.of(SubmissionRow, "t")}
), claimed AS (
    INSERT INTO idempotency_key (caller, key, body_hash, status, headers, body)
    SELECT caller, key, body_hash, 201, '{{"content-type": "application/json"}}', answer
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
        mobile_index, division_code, channel, submitted_at, received_on, submitted_by,
        submitted_unit, window_code, facility_id
    )
    SELECT id, number, applicant_id, applicant_name, identity_number, identity_index, mobile,
        mobile_index, division_code, channel, submitted_at, received_on, submitted_by,
        submitted_unit, window_code, facility_id
    FROM accepted
), case_input AS (
    SELECT c.*, accepted.applicant_id, accepted.division_code, accepted.submitted_at,
        accepted.received_on, accepted.submitted_by, accepted.submitter_name,
        accepted.submitted_unit
    FROM {arrays.of(CaseRow, "c")} JOIN accepted ON accepted.id = c.request_id
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
    INSERT INTO case_history (
        case_id, version, action, to_state, actor_id, actor_name, actor_unit, happened_at
    )
    SELECT id, 1, 'submit', 'received', coalesce(submitted_by, applicant_id), submitter_name,
        submitted_unit, submitted_at
    FROM case_input
), timers AS (
    INSERT INTO timer (kind, subject_id, due_at)
    SELECT 'deemed-acceptance', id, silence_ends_at FROM case_input
    WHERE silence_ends_at IS NOT NULL
), events AS (
    INSERT INTO outbox_message (id, topic, key, type, payload, traceparent)
    SELECT event_id, 'yichuang.requests.v1', id::text, event_type, event_payload::jsonb, traceparent
    FROM accepted
)"""  # noqa: S608 - the parts are names of ours
    extras = "" if plain else _extras(arrays)
    codes = "SELECT item_code FROM case_input i WHERE i.request_id = accepted.id"
    return (
        f"{base}{extras}\nSELECT id, {duplicates_of('accepted', codes)} AS duplicates FROM accepted"
    )


def _extras(arrays: _Arrays) -> str:
    return f""", parties AS (
    INSERT INTO request_party (
        id, request_id, role, account_id, name, identity_number, identity_index, mobile,
        mobile_index, uscc, relation, authority, valid_until
    )
    SELECT p.* FROM {arrays.of(PartyRow, "p")} JOIN accepted ON accepted.id = p.request_id
), files AS (
    INSERT INTO case_material (
        id, case_id, code, version, position, upload_id, origin, reused_from, added_by, added_at
    )
    SELECT f.id, case_id, code, 1, position, upload_id, origin, reused_from, added_by, added_at
    FROM {arrays.of(FileRow, "f")} JOIN accepted ON accepted.id = f.request_id
), kept AS (
    UPDATE material_upload u SET expires_at = NULL
    FROM {arrays.of(Claim, "k")} JOIN accepted ON accepted.id = k.request_id
    WHERE u.id = k.id
), used_up AS (
    DELETE FROM request_draft d
    USING {arrays.of(Claim, "k")} JOIN accepted ON accepted.id = k.request_id
    WHERE d.id = k.id AND d.account_id = accepted.applicant_id
), as_bundle AS (
    INSERT INTO request_bundle (request_id, bundle_id, bundle_code, version)
    SELECT b.* FROM {arrays.of(BundleRow, "b")} JOIN accepted ON accepted.id = b.request_id
)"""  # noqa: S608 - the parts are names of ours


_PLAIN, _WITH_EXTRAS = _statement(plain=True), _statement(plain=False)


async def insert_submissions(
    pool: "asyncpg.Pool[asyncpg.Record]", submissions: Sequence[Submission]
) -> list[bytes | None]:
    """Write submissions in one transaction.

    Returns, for each, None when its key was used before, else a JSON array of possible duplicates.
    """
    arguments = _columns(SubmissionRow, [submission.row for submission in submissions])
    arguments += _columns(CaseRow, [row for each in submissions for row in each.cases])
    statement = _PLAIN
    if not all(submission.is_plain for submission in submissions):
        statement = _WITH_EXTRAS
        arguments += _columns(PartyRow, [row for each in submissions for row in each.parties])
        arguments += _columns(FileRow, [row for each in submissions for row in each.files])
        arguments += _columns(Claim, [row for each in submissions for row in each.uploads])
        arguments += _columns(Claim, [row for each in submissions for row in each.drafts])
        arguments += _columns(BundleRow, [row for each in submissions for row in each.bundles])
    records = await pool.fetch(statement, *arguments)
    written = {record["id"]: (record["duplicates"] or "[]").encode() for record in records}
    return [written.get(submission.row.id) for submission in submissions]


def _columns(kind: type, rows: Sequence[Any]) -> list[list[Any]]:
    return [[getattr(row, field.name) for row in rows] for field in fields(kind)]
