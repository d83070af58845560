"""Taking a file in, piece by piece: what has arrived stays, whoever hangs up and however often.

The transfer follows tus 1.0.0 (offsets, HEAD, PATCH); an upload is begun by JSON instead of headers.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import ClientDisconnect

from servicekit.auth import Caller
from servicekit.database import Database
from servicekit.errors import Conflict, Forbidden, Gone, Invalid, NotFound, ServiceError
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher
from services.requests.materials import repository, rules
from services.requests.materials.schemas import UploadCreate, UploadLink
from services.requests.materials.store import FileStore, FilesUnavailable, key_bytes, new_key
from services.requests.metrics import UPLOADS
from services.requests.models import ScanState, UploadState

CONTENT_KEY, FILE_NAME = "material_upload.content_key", "material_upload.file_name"
#: A piece is stored when it has this size, or when its sender stops.
PART_BYTES = 1024 * 1024
#: Files of one account that belong to no case.
MAX_UNATTACHED = 60


class LinkInvalid(Forbidden):
    code, title = "link-invalid", "链接不正确或已过期，请重新获取"


class UploadNotFound(NotFound):
    code, title = "upload-not-found", "没有这次上传，可能已经过期"


class FileTooLarge(Invalid):
    code, title = "file-too-large", "文件太大，请压缩后再上传"


class TooManyFiles(Conflict):
    code, title = "too-many-files", "未提交的文件太多，请先提交或稍后再试"


class OffsetMismatch(Conflict):
    code, title = "offset-mismatch", "上传位置不一致，请从服务器给出的位置继续"


class TypeRefused(ServiceError):
    status, code, title = 415, "file-type-refused", "只能上传 JPG、PNG 图片或 PDF、OFD 文档"


class UploadClosed(Gone):
    code, title = "upload-closed", "这个文件已经传完或被拒收"


@dataclass(frozen=True, slots=True)
class Files:
    """What uploads work with for as long as the process lives."""

    store: FileStore | None
    cipher: Cipher
    limit_bytes: int
    keep_hours: int
    scans: bool

    @property
    def open_store(self) -> FileStore:
        """The store.

        Raises:
            FilesUnavailable: none is configured.
        """
        if self.store is None:
            raise FilesUnavailable
        return self.store


async def begin(database: Database, files: Files, body: UploadCreate, caller: Caller) -> UploadLink:
    """Begin an upload and say where its bytes go.

    Raises:
        FilesUnavailable, FileTooLarge, TooManyFiles: nothing is begun.
    """
    _ = files.open_store
    if body.size_bytes > files.limit_bytes:
        raise FileTooLarge(f"单个文件不能超过 {files.limit_bytes // 1024 // 1024} MB")
    upload_id, now = new_id(), datetime.now(UTC)
    expires_at = now + timedelta(hours=files.keep_hours)
    async with database.transaction() as session:
        if await repository.count_unattached(session, caller.account_id) >= MAX_UNATTACHED:
            raise TooManyFiles
        await repository.insert_upload(
            session,
            {
                "id": upload_id,
                "owner_id": caller.account_id,
                "file_name": files.cipher.encrypt(body.file_name, FILE_NAME),
                "size_bytes": body.size_bytes,
                "content_key": files.cipher.encrypt(new_key(), CONTENT_KEY),
                "scan": ScanState.pending if files.scans else ScanState.not_scanned,
                "created_at": now,
                "expires_at": expires_at,
            },
        )
    url, _expires = rules.link(
        files.cipher, f"/v1/uploads/{upload_id}", "upload", upload_id, files.keep_hours * 3600
    )
    return UploadLink(
        id=upload_id,
        url=url,
        expires_at=expires_at,
        size_bytes=body.size_bytes,
        part_bytes=PART_BYTES,
    )


async def get_upload(
    database: Database, files: Files, upload_id: UUID, *, expires: int, signature: str
) -> Any:
    """An upload by its link.

    Raises:
        LinkInvalid, UploadNotFound.
    """
    if not rules.is_ours(files.cipher, "upload", upload_id, expires, signature):
        raise LinkInvalid
    async with database.reading() as session:
        row = await repository.find_upload(session, upload_id)
    if row is None:
        raise UploadNotFound
    return row


async def receive(
    database: Database, files: Files, row: Any, *, offset: int, chunks: AsyncIterator[bytes]
) -> int:
    """Store what arrives from an offset on; return the new offset.

    Each megabyte is kept as soon as it is there, and so is what came before a caller hung up.

    Raises:
        UploadClosed: it is complete or refused.
        OffsetMismatch: somebody is further, or a piece is missing; names the right offset.
        FileTooLarge: more came than was announced; what is too much is not kept.
        TypeRefused: it was the last piece, and the whole is nothing that may be handed in.
    """
    if row.state != UploadState.uploading:
        raise UploadClosed
    if offset != row.received_bytes:
        raise OffsetMismatch(offset=row.received_bytes)
    intake = _Intake(database, files, row)
    with suppress(ClientDisconnect):  # what has come so far is stored all the same
        async for chunk in chunks:
            await intake.take(chunk)
    await intake.flush()
    if intake.offset == row.size_bytes:
        await _complete(database, files, row.id)
    return intake.offset


class _Intake:
    """Collects chunks into parts."""

    def __init__(self, database: Database, files: Files, row: Any) -> None:
        self._database, self._files, self._row = database, files, row
        self._key = key_bytes(files.cipher.decrypt(row.content_key, CONTENT_KEY))
        self._buffer = bytearray()
        self._number = row.parts
        self.offset: int = row.received_bytes

    async def take(self, chunk: bytes) -> None:
        self._buffer += chunk
        room = self._row.size_bytes - self.offset
        if len(self._buffer) > room:
            del self._buffer[room:]
            await self.flush()
            raise FileTooLarge("收到的内容比申报的文件大")
        if len(self._buffer) >= PART_BYTES:
            await self.flush()

    async def flush(self) -> None:
        if not self._buffer:
            return
        content, self._buffer = bytes(self._buffer), bytearray()
        upload_id = self._row.id
        part = await self._files.open_store.put(upload_id, self._number, content, self._key)
        async with self._database.transaction() as session:
            kept = await repository.add_part(
                session, upload_id, part, offset=self.offset, size=len(content)
            )
            if not kept:
                current = await repository.find_upload(session, upload_id)
        if not kept:
            raise OffsetMismatch(offset=current.received_bytes if current else 0)
        self._number += 1
        self.offset += len(content)


async def _complete(database: Database, files: Files, upload_id: UUID) -> None:
    """Look at the whole file: its digest, and what it is by content."""
    async with database.reading() as session:
        row = await repository.find_upload(session, upload_id)
        parts = await repository.list_parts(session, upload_id)
    assert row is not None
    digest, whole = hashlib.sha256(), bytearray()
    key = key_bytes(files.cipher.decrypt(row.content_key, CONTENT_KEY))
    async for piece in files.open_store.read(upload_id, parts, key):
        digest.update(piece)
        whole += piece
    media_type = rules.media_type_of(bytes(whole))
    changes: dict[str, Any] = {
        "state": UploadState.complete if media_type else UploadState.refused,
        "media_type": media_type,
        "sha256": digest.hexdigest(),
        "completed_at": datetime.now(UTC),
    }
    async with database.transaction() as session:
        await repository.update_upload(session, upload_id, changes)
        if media_type is None:
            await repository.forget_content(session, [upload_id])
    UPLOADS.labels(changes["state"]).inc()
    if media_type is None:
        await files.open_store.delete(upload_id)
        raise TypeRefused
