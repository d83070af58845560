"""Queries of archives: what is sealed, its seals, terms, and destructions."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.requests.models import ArchiveDestruction as D
from services.requests.models import CaseArchive as A
from services.requests.models import RetentionRule as T

# Columns are named one by one: a column added later must not change what was sealed before.
_RECORD = text("""
SELECT c.id, c.case_number, c.item_code, c.item_name, c.item_version, c.division_code, c.unit_code,
    c.unit_name, c.state, c.version, c.received_on, c.accepted_on, c.decided_on, c.completed_on,
    c.delivered_on, c.archived_on, c.result_code, c.granted, c.materials, c.answers, c.request_id,
    r.number AS request_number, r.channel, r.submitted_at, r.submitted_by, r.window_code,
    r.applicant_id, r.applicant_name, r.identity_number, r.mobile,
    (SELECT n.answer FROM correction_notice n WHERE n.case_id = c.id) AS notice_answer,
    (SELECT i.state ->> 'task_type' FROM catalogue_item i WHERE i.item_id = c.item_id) AS task_type
FROM service_case c JOIN citizen_request r ON r.id = c.request_id WHERE c.id = :case_id
""")
_HISTORY = text("""
SELECT version, action, from_state, to_state, actor_id, actor_name, actor_unit, note, happened_at
FROM case_history WHERE case_id = :case_id AND version <= :version ORDER BY version
""")
_MATERIALS = text("""
SELECT m.code, m.version, m.position, m.origin, m.added_by, m.added_at, m.upload_id, u.file_name,
    u.media_type, u.size_bytes, u.sha256, u.content_key
FROM case_material m JOIN material_upload u ON u.id = m.upload_id
WHERE m.case_id = :case_id ORDER BY m.code, m.version, m.position
""")
_PARTIES = text("""
SELECT role, name, identity_number, mobile, uscc, relation, authority, valid_until
FROM request_party WHERE request_id = :request_id AND role <> 'claimant' ORDER BY role
""")
_PROCEEDINGS = {
    "notices": text(
        "SELECT missing, issued_at, answer_by, answered_at FROM correction_notice "
        "WHERE case_id = :case_id"
    ),
    "pauses": text(
        "SELECT number, procedure, reason, started_on, expected_until, ended_on, days, outcome "
        "FROM case_pause WHERE case_id = :case_id ORDER BY number"
    ),
    "opinions": text(
        "SELECT unit_code, unit_name, asked_at, agrees, opinion, given_by, given_at "
        "FROM case_opinion WHERE case_id = :case_id ORDER BY unit_code"
    ),
    "documents": text(
        "SELECT kind, number, issuer, case_version, issued_on, template, facts "
        "FROM case_document WHERE case_id = :case_id ORDER BY id"
    ),
}
#: What of a case's row is no record of what happened: names and answers are sealed apart.
PERSONAL = ("answers", "applicant_name", "identity_number", "mobile", "notice_answer")
#: The kind of the item as the catalogue has it now: for the term, no part of the record.
TASK_TYPE = "task_type"


async def find_record(session: AsyncSession, case_id: UUID) -> dict[str, Any] | None:
    """A case with its request; personal data encrypted."""
    row = (await session.execute(_RECORD, {"case_id": case_id})).one_or_none()
    return None if row is None else dict(row._mapping)


async def list_history(session: AsyncSession, case_id: UUID, version: int) -> list[dict[str, Any]]:
    """What happened to a case up to a version."""
    rows = await session.execute(_HISTORY, {"case_id": case_id, "version": version})
    return [dict(row._mapping) for row in rows]


async def list_materials(session: AsyncSession, case_id: UUID) -> list[dict[str, Any]]:
    """The files of a case, with their digests; names and keys encrypted."""
    return [dict(row._mapping) for row in await session.execute(_MATERIALS, {"case_id": case_id})]


async def list_parties(session: AsyncSession, request_id: UUID) -> list[dict[str, Any]]:
    """Agent and organisation; personal data encrypted."""
    rows = await session.execute(_PARTIES, {"request_id": request_id})
    return [dict(row._mapping) for row in rows]


async def list_proceedings(session: AsyncSession, case_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Notices, pauses, opinions and documents of a case."""
    return {
        name: [dict(row._mapping) for row in await session.execute(query, {"case_id": case_id})]
        for name, query in _PROCEEDINGS.items()
    }


async def find_newest(session: AsyncSession, case_id: UUID, *, lock: bool = False) -> Any | None:
    """The newest seal of a case."""
    statement = select(A).where(col(A.case_id) == case_id).order_by(col(A.sequence).desc()).limit(1)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def insert_archive(session: AsyncSession, values: dict[str, Any]) -> None:
    """Add a seal."""
    await session.execute(insert(A).values(**values))


async def terms(session: AsyncSession) -> dict[str, int | None]:
    """Scope → years of every rule."""
    rows = await session.execute(select(col(T.scope), col(T.years)))
    return {row.scope: row.years for row in rows}


async def list_terms(session: AsyncSession) -> Sequence[Any]:
    """Every rule, by scope."""
    return (await session.execute(select(T).order_by(col(T.scope)))).scalars().all()


async def find_term(session: AsyncSession, scope: str) -> Any | None:
    """A rule, locked."""
    statement = select(T).where(col(T.scope) == scope).with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def insert_term(session: AsyncSession, values: dict[str, Any]) -> None:
    await session.execute(insert(T).values(**values))


async def update_term(session: AsyncSession, scope: str, values: dict[str, Any]) -> None:
    await session.execute(update(T).where(col(T.scope) == scope).values(**values))


_EXPIRED = text("""
SELECT a.case_id, c.case_number, a.sequence, a.digest, a.retain_until
FROM case_archive a JOIN service_case c ON c.id = a.case_id
WHERE a.destroyed_at IS NULL AND a.retain_until < :today AND c.version = a.case_version
    AND starts_with(c.division_code, :prefix)
    AND NOT EXISTS (
        SELECT FROM archive_destruction d WHERE d.state = 'proposed'
            AND d.archives @> jsonb_build_array(jsonb_build_object('case_id', a.case_id))
    )
ORDER BY a.retain_until, a.case_id LIMIT :limit
""")


async def list_expired(
    session: AsyncSession, division_code: str, *, today: date, limit: int
) -> list[dict[str, Any]]:
    """Archives within a division whose term is over, that were not opened again nor proposed yet."""
    values = {"prefix": division_prefix(division_code), "today": today, "limit": limit}
    rows = await session.execute(_EXPIRED, values)
    return [
        {
            "case_id": str(row.case_id),
            "case_number": row.case_number,
            "sequence": row.sequence,
            "digest": row.digest,
            "retain_until": row.retain_until.isoformat(),
        }
        for row in rows
    ]


async def insert_destruction(session: AsyncSession, values: dict[str, Any]) -> None:
    """Propose a destruction."""
    await session.execute(insert(D).values(**values))


async def find_destruction(
    session: AsyncSession, destruction_id: UUID, *, lock: bool
) -> Any | None:
    """A destruction."""
    statement = select(D).where(col(D.id) == destruction_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def list_destructions(
    session: AsyncSession, division_code: str, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Destructions within a division, newest first (ids are time-ordered)."""
    below = col(D.division_code).startswith(division_prefix(division_code), autoescape=True)
    statement = select(D).where(below)
    if after is not None:
        statement = statement.where(col(D.id) < after)
    return (
        (await session.execute(statement.order_by(col(D.id).desc()).limit(limit))).scalars().all()
    )


async def update_destruction(
    session: AsyncSession, destruction_id: UUID, values: dict[str, Any]
) -> None:
    await session.execute(update(D).where(col(D.id) == destruction_id).values(**values))


async def still_expired(session: AsyncSession, case_ids: Sequence[UUID], today: date) -> set[UUID]:
    """Those of the cases whose archive may still be destroyed; locks their seals."""
    rows = await session.execute(
        text(
            "SELECT a.case_id FROM case_archive a JOIN service_case c ON c.id = a.case_id "
            "WHERE a.case_id = ANY(:ids) AND a.destroyed_at IS NULL AND a.retain_until < :today "
            "AND c.version = a.case_version FOR UPDATE OF a, c"
        ),
        {"ids": list(case_ids), "today": today},
    )
    return set(rows.scalars())


async def mark_destroyed(
    session: AsyncSession, case_ids: Sequence[UUID], destruction_id: UUID, at: datetime
) -> None:
    """Note on every seal of the cases that what it sealed is gone."""
    await session.execute(
        update(A)
        .where(col(A.case_id).in_(case_ids))
        .values(destroyed_at=at, destruction_id=destruction_id)
    )


async def list_uploads_only_of(session: AsyncSession, case_ids: Sequence[UUID]) -> list[UUID]:
    """Files that no case outside the list needs any more."""
    rows = await session.execute(
        text(
            "SELECT DISTINCT m.upload_id FROM case_material m WHERE m.case_id = ANY(:ids) "
            "AND NOT EXISTS (SELECT FROM case_material o LEFT JOIN case_archive a "
            "ON a.case_id = o.case_id AND a.destroyed_at IS NOT NULL "
            "WHERE o.upload_id = m.upload_id AND o.case_id <> ALL(:ids) AND a.case_id IS NULL)"
        ),
        {"ids": list(case_ids)},
    )
    return list(rows.scalars())


_ERASE_CASES = (
    "UPDATE service_case SET answers = :answers, materials = '[]' WHERE id = ANY(:ids)",
    "UPDATE case_history SET note = NULL, actor_name = NULL WHERE case_id = ANY(:ids)",
    "UPDATE correction_notice SET answer = NULL, missing = '[]' WHERE case_id = ANY(:ids)",
    "UPDATE case_document SET facts = '{}' WHERE case_id = ANY(:ids)",
    "UPDATE case_opinion SET opinion = NULL, given_by = NULL WHERE case_id = ANY(:ids)",
    "UPDATE case_pause SET reason = '', outcome = NULL WHERE case_id = ANY(:ids)",
    "UPDATE case_follow_up SET what = '', note = NULL WHERE case_id = ANY(:ids)",
    "UPDATE supervision_order SET what = '', reply = NULL WHERE case_id = ANY(:ids)",
    "UPDATE supervision_order SET issued_by = NULL, replied_by = NULL WHERE case_id = ANY(:ids)",
)
#: A request whose every case is destroyed.
_EMPTIED = """
    SELECT r.id FROM citizen_request r
    WHERE r.id IN (SELECT request_id FROM service_case WHERE id = ANY(:ids))
        AND NOT EXISTS (
            SELECT FROM service_case c LEFT JOIN case_archive a
                ON a.case_id = c.id AND a.destroyed_at IS NOT NULL
            WHERE c.request_id = r.id AND a.case_id IS NULL
        )
"""


async def erase(
    session: AsyncSession, case_ids: Sequence[UUID], *, answers: str, person: dict[str, Any]
) -> None:
    """Overwrite what the cases say, and of requests that are wholly gone whom they were for.

    `answers` and `person` are what stands there afterwards, encrypted as the columns are.
    """
    ids = list(case_ids)
    for statement in _ERASE_CASES:
        values: dict[str, Any] = {"ids": ids}
        if ":answers" in statement:
            values["answers"] = answers
        await session.execute(text(statement), values)
    await session.execute(
        text(f"DELETE FROM request_party WHERE request_id IN ({_EMPTIED})"),  # noqa: S608
        {"ids": ids},
    )
    await session.execute(
        text(  # the parts are ours
            "UPDATE citizen_request SET applicant_name = :name, identity_number = :identity, "  # noqa: S608
            "mobile = :mobile, identity_index = uuid_send(gen_random_uuid()), "
            f"mobile_index = uuid_send(gen_random_uuid()) WHERE id IN ({_EMPTIED})"
        ),
        {"ids": ids, **person},
    )
