"""Which files a submission or a correction may hand in: asked only when it hands in some."""

from typing import Any, Protocol
from uuid import UUID

from servicekit.errors import Invalid

#: An upload that is about to be forgotten is not taken any more.
_OWN = """
SELECT id FROM material_upload
WHERE id = ANY($1) AND owner_id = $2 AND state = 'complete' AND scan <> 'infected'
    AND content_key IS NOT NULL AND (expires_at IS NULL OR expires_at > now())
"""
#: From earlier requests of the same person; a resident's own or those they were the agent of.
_EARLIER = """
SELECT m.id, m.upload_id FROM case_material m
JOIN material_upload u ON u.id = m.upload_id
JOIN service_case c ON c.id = m.case_id
JOIN citizen_request r ON r.id = c.request_id
WHERE m.id = ANY($1) AND u.state = 'complete' AND u.scan <> 'infected'
    AND u.content_key IS NOT NULL AND r.identity_index = $2 AND ($4 OR r.applicant_id = $3)
"""


class Fetches(Protocol):
    """A pool or a connection of asyncpg."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...


class FilesUnusable(Invalid):
    code, title = "files-unusable", "有文件没有传完、已过期或不属于申请人，请重新上传"


async def usable_files(
    database: Fetches,
    *,
    uploads: set[UUID],
    reused: set[UUID],
    owner_id: UUID,
    identity_index: bytes,
    is_staff: bool,
) -> dict[UUID, UUID]:
    """Check that every file may be handed in.

    Returns the upload of each earlier material.

    Raises:
        FilesUnusable: names those that may not.
    """
    missing = set(uploads)
    if uploads:
        missing -= {row["id"] for row in await database.fetch(_OWN, list(uploads), owner_id)}
    found: dict[UUID, UUID] = {}
    if reused:
        rows = await database.fetch(_EARLIER, list(reused), identity_index, owner_id, is_staff)
        found = {row["id"]: row["upload_id"] for row in rows}
        missing |= reused - found.keys()
    if missing:
        raise FilesUnusable(
            errors=[
                {"path": "/items", "in": "body", "message": f"文件 {each} 不能使用", "type": "file"}
                for each in sorted(missing, key=str)
            ]
        )
    return found
