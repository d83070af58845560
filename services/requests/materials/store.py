"""Where files lie: an object store (a directory or S3), every piece encrypted under its file's own key.

The key itself is kept encrypted in the database, so that a rotation touches keys and no files, and
a file whose key is gone cannot be read by anybody.
"""

import base64
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import obstore
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from servicekit.errors import Unavailable

_NONCE_BYTES = 12
_ROOT = "files"
#: As long as somebody who waits can bear.
ANSWER = timedelta(seconds=10)


class FilesUnavailable(Unavailable):
    code, title = "files-unavailable", "暂时不能上传或打开文件，请稍后再试"


class FileDamaged(Exception):
    """Stored bytes were changed, moved or are gone."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stored piece of a file."""

    number: int
    object_name: str


class FileStore:
    """Puts, reads and deletes the pieces of files."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, upload_id: UUID, number: int, content: bytes, key: bytes) -> Part:
        """Store one piece under a name nobody else uses.

        Raises:
            FilesUnavailable: the store does not answer.
        """
        part = Part(number, f"{_ROOT}/{upload_id}/{number:06d}-{secrets.token_hex(4)}")
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, content, _context(upload_id, number))
        try:
            await obstore.put_async(self._store, part.object_name, nonce + sealed)
        except (BaseError, OSError) as error:
            raise FilesUnavailable from error
        return part

    async def read(
        self, upload_id: UUID, parts: Sequence[Part], key: bytes
    ) -> AsyncIterator[bytes]:
        """Yield the pieces in order, decrypted.

        Raises:
            FilesUnavailable: the store does not answer.
            FileDamaged: a piece is missing or was changed.
        """
        suite = AESGCM(key)
        for part in parts:
            try:
                answer = await obstore.get_async(self._store, part.object_name)
                raw = bytes(await answer.bytes_async())
            except FileNotFoundError:
                await self._look_for_the_bucket(upload_id)
                raise FileDamaged(part.object_name) from None
            except (BaseError, OSError) as error:
                raise FilesUnavailable from error
            try:
                yield suite.decrypt(
                    raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _context(upload_id, part.number)
                )
            except InvalidTag:
                raise FileDamaged(part.object_name) from None

    async def _look_for_the_bucket(self, upload_id: UUID) -> None:
        """Tell a piece that is gone from a store that is: both are answered alike.

        Raises:
            FilesUnavailable: there is no such bucket.
        """
        try:
            await obstore.list(self._store, prefix=f"{_ROOT}/{upload_id}").collect_async()
        except (BaseError, OSError) as error:
            raise FilesUnavailable from error

    async def delete(self, upload_id: UUID) -> int:
        """Delete everything of a file; return how many pieces there were.

        Raises:
            FilesUnavailable: the store does not answer; some pieces may be gone.
        """
        try:
            names = [
                entry["path"]
                async for batch in obstore.list(self._store, prefix=f"{_ROOT}/{upload_id}")
                for entry in batch
            ]
            for name in names:
                with suppress(FileNotFoundError):  # somebody else was quicker
                    await obstore.delete_async(self._store, name)
        except (BaseError, OSError) as error:
            raise FilesUnavailable from error
        return len(names)


def open_store(url: str) -> FileStore:
    """A store by address: `file:///var/lib/files`, `s3://bucket/prefix`."""
    return FileStore(_object_store(url))


def _object_store(url: str) -> ObjectStore:
    """A directory, or S3 with keys, region and endpoint from the usual `AWS_…` variables.

    An endpoint without TLS is taken at its word. Objects are deleted one by one: not every store
    that speaks S3 can do more.
    """
    if not url.startswith("s3:"):
        return from_url(url, mkdir=True, automatic_cleanup=True)
    return from_url(
        url,
        config={"disable_bulk_delete": True},
        client_options={"allow_http": True, "connect_timeout": ANSWER / 5, "timeout": ANSWER},
        retry_config={"max_retries": 2, "retry_timeout": ANSWER},
    )


def new_key() -> str:
    """A key for one file, as text."""
    return base64.b64encode(os.urandom(32)).decode()


def key_bytes(key: str) -> bytes:
    return base64.b64decode(key)


def _context(upload_id: UUID, number: int) -> bytes:
    return f"{upload_id}/{number}".encode()
