"""Scans and evidence: checked by what they are, encrypted, and read by who may."""

import base64
import hashlib
from typing import Annotated, Any
from uuid import UUID

import puremagic
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from servicekit.errors import Invalid
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation.free_text import ATTACHMENT
from services.evaluation.models import Attachment

MOST_BYTES = 2 * 1024 * 1024
_SUFFIXES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


class AttachmentUnreadable(Invalid):
    code, title = "attachment-unreadable", "附件只能是 PDF、PNG 或 JPEG，最大 2 MB"


class AttachmentWrite(BaseModel):
    """A file in Base64."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[str, Field(min_length=8, max_length=MOST_BYTES * 4 // 3 + 4)]


class AttachmentRead(BaseModel):
    """What is known of a file without opening it."""

    id: UUID
    media_type: str
    size_bytes: int
    sha256: str


def decode(body: AttachmentWrite) -> bytes:
    """The bytes of a file.

    Raises:
        AttachmentUnreadable: it is no Base64.
    """
    try:
        return base64.b64decode(body.content, validate=True)
    except ValueError:
        raise AttachmentUnreadable from None


async def keep(
    session: AsyncSession,
    body: AttachmentWrite,
    *,
    owner_kind: str,
    owner_id: UUID,
    added_by: UUID,
    cipher: Cipher,
) -> AttachmentRead:
    """Keep a file encrypted.

    Raises:
        AttachmentUnreadable: no Base64, too large, or neither PDF nor PNG nor JPEG by its bytes.
    """
    raw = decode(body)
    media_type = _media_type(raw)
    if media_type is None or len(raw) > MOST_BYTES:
        raise AttachmentUnreadable
    kept = AttachmentRead(
        id=new_id(),
        media_type=media_type,
        size_bytes=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
    )
    await session.execute(
        insert(Attachment).values(
            **kept.model_dump(),
            owner_kind=owner_kind,
            owner_id=owner_id,
            content=cipher.encrypt(body.content, ATTACHMENT.context),
            added_by=added_by,
            added_at=now(),
        )
    )
    return kept


async def list_of(session: AsyncSession, owner_id: UUID) -> list[AttachmentRead]:
    """The files of one owner, in the order they were added."""
    query = (
        select(
            col(Attachment.id),
            col(Attachment.media_type),
            col(Attachment.size_bytes),
            col(Attachment.sha256),
        )
        .where(col(Attachment.owner_id) == owner_id)
        .order_by(col(Attachment.id))
    )
    rows = (await session.execute(query)).all()
    return [AttachmentRead.model_validate(row, from_attributes=True) for row in rows]


async def content_of(
    session: AsyncSession, owner_id: UUID, attachment_id: UUID, cipher: Cipher
) -> tuple[str, bytes] | None:
    """Media type and bytes of a file of this owner, or None."""
    query = select(col(Attachment.media_type), col(Attachment.content)).where(
        col(Attachment.id) == attachment_id, col(Attachment.owner_id) == owner_id
    )
    row: Any = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    return row.media_type, base64.b64decode(cipher.decrypt(row.content, ATTACHMENT.context))


def _media_type(raw: bytes) -> str | None:
    try:
        suffix = puremagic.from_string(raw)
    except puremagic.PureError:
        return None
    return _SUFFIXES.get(suffix)
