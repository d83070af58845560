"""The one query of people: by blind index, within what the caller may see."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_prefix

_FOUND = """
WITH found AS (
    SELECT id AS request_id, 'applicant' AS found_as FROM citizen_request
    WHERE {column} = :of_applicant
    UNION ALL
    SELECT request_id, 'agent' FROM request_party WHERE {column} = :of_party AND role = 'agent'
)
SELECT r.id, r.number, r.division_code, r.submitted_at, r.applicant_id, r.applicant_name,
    r.identity_number, r.mobile, found.found_as, (
    SELECT json_agg(json_build_object(
        'id', c.id, 'number', c.case_number, 'item_code', c.item_code, 'item_name', c.item_name,
        'state', c.state, 'unit_name', c.unit_name, 'due_on', c.due_on
    ) ORDER BY c.case_number) FROM service_case c WHERE c.request_id = r.id
) AS cases
FROM found JOIN citizen_request r ON r.id = found.request_id
WHERE starts_with(r.division_code, CAST(:prefix AS text)) OR EXISTS (
    SELECT FROM service_case c
    WHERE c.request_id = r.id AND c.unit_code = CAST(:unit_code AS text)
)
ORDER BY r.id DESC LIMIT :limit
"""
_BY_IDENTITY = text(_FOUND.format(column="identity_index"))
_BY_MOBILE = text(_FOUND.format(column="mobile_index"))


async def list_of_person(
    session: AsyncSession,
    *,
    by_mobile: bool,
    of_applicant: bytes,
    of_party: bytes,
    division_code: str | None,
    unit_code: str | None,
    limit: int,
) -> Sequence[Any]:
    """A person's requests within a division or of a unit, newest first; personal data encrypted."""
    values = {
        "of_applicant": of_applicant,
        "of_party": of_party,
        "prefix": division_prefix(division_code) if division_code else None,
        "unit_code": unit_code,
        "limit": limit,
    }
    return (await session.execute(_BY_MOBILE if by_mobile else _BY_IDENTITY, values)).all()
