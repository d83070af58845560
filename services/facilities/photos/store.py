"""Where pictures lie: an object store, a directory or S3; a name is used once."""

from typing import Any
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from servicekit.errors import Unavailable

_ROOT = "photos"


class PhotosUnavailable(Unavailable):
    code, title = "photos-unavailable", "暂时不能上传或查看照片，请稍后再试"


class PhotoStore:
    """Puts and gets whole pictures; they are public and small."""

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


def open_store(url: str) -> PhotoStore:
    """A store by address: `file:///var/lib/photos`, `s3://bucket/prefix`; none without one."""
    if not url:
        return PhotoStore(None)
    options: dict[str, Any] = {"mkdir": True} if url.startswith("file:") else {}
    return PhotoStore(from_url(url, **options))
