"""Codes of platforms: loaded from the data file, and read by whoever sends ratings on."""

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import NotFound
from services.evaluation.codes import repository
from services.evaluation.codes.schemas import CodeFile, CodeRead, PlatformCodes


class PlatformUnknown(NotFound):
    code, title = "platform-unknown", "没有这个平台的代码表"


async def get(session: AsyncSession, platform: str) -> PlatformCodes:
    """All codes of one platform.

    Raises:
        PlatformUnknown: the data file has none of that name.
    """
    rows = await repository.list_codes(session, platform)
    if not rows:
        raise PlatformUnknown
    return PlatformCodes(
        platform=platform,
        source=rows[0].source,
        items=[CodeRead(field=row.field, name=row.name, code=row.code) for row in rows],
    )


async def load_codes(session: AsyncSession, content: CodeFile) -> int:
    """Load the data file; return how many platforms it has."""
    rows = [
        {
            "platform": entry.platform,
            "field": field,
            "name": str(name),
            "code": code,
            "source": entry.source,
        }
        for entry in content.platforms
        for field, codes in (("channel", entry.channels), ("level", entry.levels))
        for name, code in codes.items()
    ]
    await repository.replace_codes(session, rows)
    return len(content.platforms)
