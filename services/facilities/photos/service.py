"""Pictures of a facility: added and removed by its manager, seen by anyone."""

from hashlib import sha256
from typing import Any
from uuid import UUID

import puremagic
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.timers import set_timer
from services.facilities.facilities import service as facilities
from services.facilities.photos import repository
from services.facilities.photos.erasing import ERASE
from services.facilities.photos.schemas import MAX_BYTES, MAX_PHOTOS, PhotoList, PhotoRead
from services.facilities.photos.store import PhotoStore

_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


class PhotoUnreadable(Invalid):
    code, title = "photo-unreadable", "照片只能是 JPEG、PNG 或 WebP，最大 5 MB"


class PhotoNotFound(NotFound):
    code, title = "photo-not-found", "没有这张照片"


class PhotoTaken(Conflict):
    code, title = "photo-taken", "这处设施已有同一张照片"


class TooManyPhotos(Conflict):
    code, title = "too-many-photos", f"一处设施最多 {MAX_PHOTOS} 张照片，请先删除旧的"


async def list_photos(session: AsyncSession, facility_id: UUID) -> PhotoList:
    """The pictures of a facility.

    Raises:
        FacilityNotFound: there is none.
    """
    await facilities.find_row(session, facility_id)
    rows = await repository.list_photos(session, facility_id)
    return PhotoList(items=[_read(row._mapping) for row in rows])


async def add(
    session: AsyncSession,
    caller: Caller,
    store: PhotoStore,
    facility_id: UUID,
    content: bytes,
    caption: str,
) -> PhotoRead:
    """Keep a picture. Its bytes are stored before the row: a lost transaction leaves bytes only.

    Concurrency: locks the facility.

    Raises:
        FacilityNotFound: there is no such facility.
        WrongDivision: it lies outside the caller's subtree.
        PhotoUnreadable: too large, or no picture by its own bytes.
        PhotoTaken: the facility has the same picture.
        TooManyPhotos: it has as many as it may.
        PhotosUnavailable: the store does not answer.
    """
    place = await facilities.lock_row(session, facility_id)
    caller.ensure_covers(place.division_code)
    content_type = _content_type(content)
    if content_type is None or len(content) > MAX_BYTES:
        raise PhotoUnreadable
    digest = sha256(content).hexdigest()
    rows = await repository.list_photos(session, facility_id)
    if any(row.sha256 == digest for row in rows):
        raise PhotoTaken
    if len(rows) >= MAX_PHOTOS:
        raise TooManyPhotos
    photo_id = new_id()
    values = {
        "id": photo_id,
        "facility_id": facility_id,
        "content_type": content_type,
        "size_bytes": len(content),
        "sha256": digest,
        "caption": caption.strip(),
        "recorded_by": caller.account_id,
        "recorded_at": outbox.now(),
    }
    await store.put(photo_id, content)
    await repository.add(session, values)
    return _read(values)


async def remove(session: AsyncSession, caller: Caller, facility_id: UUID, photo_id: UUID) -> None:
    """Take a picture away; its bytes go once that is committed.

    Raises:
        FacilityNotFound, PhotoNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
    """
    place = await facilities.lock_row(session, facility_id)
    caller.ensure_covers(place.division_code)
    if not await repository.remove(session, facility_id, photo_id):
        raise PhotoNotFound
    await set_timer(session, ERASE, photo_id, outbox.now())


async def content_of(
    session: AsyncSession, store: PhotoStore, facility_id: UUID, photo_id: UUID
) -> tuple[str, bytes]:
    """Type and bytes of a picture.

    Raises:
        PhotoNotFound: there is none, or its bytes are gone.
        PhotosUnavailable: the store does not answer.
    """
    row = await repository.find(session, facility_id, photo_id)
    content = await store.get(photo_id) if row is not None else None
    if row is None or content is None:
        raise PhotoNotFound
    return row.content_type, content


def _content_type(content: bytes) -> str | None:
    try:
        return _TYPES.get(puremagic.from_string(content))
    except (puremagic.PureError, ValueError):
        return None


def _read(values: Any) -> PhotoRead:
    url = f"/v1/facilities/{values['facility_id']}/photos/{values['id']}"
    return PhotoRead.model_validate({**values, "url": url})
