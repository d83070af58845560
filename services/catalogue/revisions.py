"""The catalogue's revision: one order for everything the public sees, whichever feature changes it."""

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalogue.models import CatalogueRevision

_NEXT_REVISION = text(
    "INSERT INTO catalogue_revision (id, revision) "
    "VALUES (1, nextval('catalogue_revision_number')) "
    "ON CONFLICT (id) DO UPDATE SET revision = nextval('catalogue_revision_number') "
    "RETURNING revision"
)


async def next_revision(session: AsyncSession) -> int:
    """Take the next catalogue revision; holds the catalogue's lock until the commit."""
    return int((await session.execute(_NEXT_REVISION)).scalar_one())


async def newest_revision(session: AsyncSession) -> int | None:
    """The catalogue's newest revision; None before the first publication."""
    found: int | None = await session.scalar(select(col(CatalogueRevision.revision)))
    return found
