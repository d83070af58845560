"""Where pictures lie: an object store, a directory or S3; a name is used once."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from servicekit.errors import Unavailable

_ROOT = "photos"
#: As long as somebody who waits can bear.
ANSWER = timedelta(seconds=10)


class PhotosUnavailable(Unavailable):
    code, title = "photos-unavailable", "暂时不能上传或查看照片，请稍后再试"


class PhotoStore:
    """Puts, gets and deletes whole pictures; they are public and small."""

    def __init__(self, store: ObjectStore | None) -> None:
        self._store = store

    async def put(self, photo_id: UUID, content: bytes) -> None:
        """Store a picture.

        Raises:
            PhotosUnavailable: there is no store, or it does not answer.
        """
        if self._store is None:
            raise PhotosUnavailable
        try:
            await obstore.put_async(self._store, f"{_ROOT}/{photo_id}", content)
        except (BaseError, OSError) as error:
            raise PhotosUnavailable from error

    async def get(self, photo_id: UUID) -> bytes | None:
        """The bytes of a picture; None when they are gone.

        Raises:
            PhotosUnavailable: there is no store, or it does not answer.
        """
        if self._store is None:
            raise PhotosUnavailable
        try:
            answer = await obstore.get_async(self._store, f"{_ROOT}/{photo_id}")
            return bytes(await answer.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise PhotosUnavailable from error

    async def delete(self, photo_id: UUID) -> None:
        """Delete the bytes of a picture; nothing happens when they are gone.

        Raises:
            PhotosUnavailable: there is no store, or it does not answer.
        """
        if self._store is None:
            raise PhotosUnavailable
        try:
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._store, f"{_ROOT}/{photo_id}")
        except (BaseError, OSError) as error:
            raise PhotosUnavailable from error

    async def list_before(self, moment: datetime) -> AsyncIterator[set[UUID]]:
        """Yield what was stored before a moment, batch by batch.

        Raises:
            PhotosUnavailable: there is no store, or it does not answer.
        """
        if self._store is None:
            raise PhotosUnavailable
        try:
            async for batch in obstore.list(self._store, prefix=_ROOT):
                yield {
                    UUID(entry["path"].rpartition("/")[2])
                    for entry in batch
                    if entry["last_modified"] < moment
                }
        except (BaseError, OSError) as error:
            raise PhotosUnavailable from error


def open_store(url: str) -> PhotoStore:
    """A store by address: `file:///var/lib/photos`, `s3://bucket/prefix`; none without one."""
    return PhotoStore(_object_store(url) if url else None)


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
