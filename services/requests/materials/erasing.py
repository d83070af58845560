"""Deleting the bytes of files whose keys are gone."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.requests.materials.uploads import Files

ERASE = "file-erase"


async def erase(files: Files, _session: AsyncSession, upload_id: UUID) -> None:
    """Delete what lies of a file; one that fails is tried again.

    Raises:
        FilesUnavailable: the store does not answer.
    """
    await files.open_store.delete(upload_id)
