"""Every query about synonyms."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.catalogue.models import Synonym, SynonymRevision

_RAISE = text(
    "INSERT INTO synonym_revision (id, revision) VALUES (1, 1) "
    "ON CONFLICT (id) DO UPDATE SET revision = synonym_revision.revision + 1"
)


async def revision(session: AsyncSession) -> int:
    """A number that grows with every change; 0 before the first."""
    found: int | None = await session.scalar(select(col(SynonymRevision.revision)))
    return found or 0


async def load(session: AsyncSession) -> Sequence[Any]:
    """Every word: division, word, meanings."""
    query = select(col(Synonym.division_code), col(Synonym.word), col(Synonym.means))
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def list_page(
    session: AsyncSession,
    *,
    divisions: Sequence[str] | None,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Any]:
    """Words in their order."""
    key = (col(Synonym.word), col(Synonym.division_code))
    query = select(*Synonym.__table__.c).order_by(*key).limit(limit)  # type: ignore[attr-defined]
    if divisions is not None:
        query = query.where(col(Synonym.division_code).in_(divisions))
    if after is not None:
        word, division = after
        later = (key[0] > word) | ((key[0] == word) & (key[1] > division))
        query = query.where(later)
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def lock(session: AsyncSession, division: str, word: str) -> Any | None:
    """A word, locked; every change also waits for the one before it, by the revision's row."""
    await session.execute(_RAISE)
    query = (
        select(*Synonym.__table__.c)  # type: ignore[attr-defined]
        .where(col(Synonym.division_code) == division, col(Synonym.word) == word)
        .with_for_update()
    )
    return (await session.execute(query)).one_or_none()


async def put(session: AsyncSession, **values: Any) -> None:
    statement = postgresql.insert(Synonym).values(**values)
    key = ("division_code", "word")
    kept = {name: statement.excluded[name] for name in values if name not in key}
    await session.execute(statement.on_conflict_do_update(index_elements=key, set_=kept))


async def drop(session: AsyncSession, division: str, word: str) -> None:
    await session.execute(
        delete(Synonym).where(col(Synonym.division_code) == division, col(Synonym.word) == word)
    )
