"""The dictionary of facility types: loaded from its file, read by everyone."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.types import repository
from services.facilities.types.schemas import TypeDictionary, TypeRead


async def load(session: AsyncSession, dictionary: TypeDictionary) -> int:
    """Record the dictionary; return how many types it names."""
    rows = [
        entry.model_dump() | {"group_code": group.code, "group_name": group.name}
        for group in dictionary.groups
        for entry in group.types
    ]
    for position, row in enumerate(rows):
        # No national code table of facility types was found: every code is ours.
        row |= {"position": position, "provisional": True}
    await repository.store(session, rows)
    return len(rows)


async def list_types(session: AsyncSession) -> list[TypeRead]:
    """The dictionary in its own order."""
    rows = await repository.list_all(session)
    return [TypeRead.model_validate(dict(row._mapping)) for row in rows]


async def is_known(session: AsyncSession, code: str) -> bool:
    """Whether the dictionary names a type."""
    return await repository.exists(session, code)
