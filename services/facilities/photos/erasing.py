"""Deleting the bytes of pictures that are no facility's: taken away, or stored for a lost transaction."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from services.facilities.photos import repository
from services.facilities.photos.store import PhotoStore, PhotosUnavailable

ERASE = "photo-erase"
#: Bytes older than this belong to a row, or to nobody: no transaction takes so long.
SETTLED = timedelta(hours=1)
SWEEP_SECONDS = 24 * 3600.0


async def erase(store: PhotoStore, session: AsyncSession, photo_id: UUID) -> None:
    """Delete the bytes of a picture that was taken away; one that fails is tried again.

    Raises:
        PhotosUnavailable: the store does not answer.
    """
    if not await repository.list_known(session, {photo_id}):
        await store.delete(photo_id)


async def sweep(store: PhotoStore, database: Database, now: datetime) -> int:
    """Delete bytes that no row leads to; return how many pictures.

    Raises:
        PhotosUnavailable: the store does not answer.
    """
    swept = 0
    async for stored in store.list_before(now - SETTLED):
        async with database.reading() as session:
            orphans = stored - await repository.list_known(session, stored)
        for photo_id in orphans:
            await store.delete(photo_id)
        swept += len(orphans)
    return swept


async def sweep_daily(store: PhotoStore, database: Database) -> None:
    """Sweep once a day until cancelled."""
    while True:
        try:
            swept = await sweep(store, database, datetime.now(UTC))
        except (*DATABASE_ERRORS, PhotosUnavailable) as error:
            logger.warning("photo_sweep_interrupted", error=repr(error))
        else:
            if swept:
                logger.info("photos_swept", photos=swept)
        await asyncio.sleep(SWEEP_SECONDS)
