"""Rating tags: shown, checked against a rating's level, and loaded from the data file."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import RatingLevel
from servicekit.errors import Invalid
from services.evaluation.tags import repository
from services.evaluation.tags.rules import TagRefusal, first_reason, refused_tags
from services.evaluation.tags.schemas import RatingTagList, RatingTagRead, TagFile


class TagUnknown(Invalid):
    code, title = "tag-unknown", "没有这个评价标签"


class TagOfOtherLevel(Invalid):
    code, title = "tag-of-other-level", "所选标签不属于这个满意度等级"


class TagRetired(Invalid):
    code, title = "tag-retired", "所选标签已停用，请重新选择"


_ERRORS: dict[TagRefusal, type[Invalid]] = {
    TagRefusal.unknown: TagUnknown,
    TagRefusal.other_level: TagOfOtherLevel,
    TagRefusal.retired: TagRetired,
}


async def list_tags(
    session: AsyncSession, *, level: RatingLevel | None, with_retired: bool
) -> RatingTagList:
    """Tags in the order they are shown: best level, in use, base tags, code."""
    rows = await repository.list_tags(session, level=level, with_retired=with_retired)
    tags = [RatingTagRead.model_validate(row, from_attributes=True) for row in rows]
    tags.sort(key=lambda tag: (-tag.level.stars, tag.is_retired, not tag.is_base, tag.code))
    return RatingTagList(items=tags)


async def ensure_usable(session: AsyncSession, codes: Sequence[str], level: RatingLevel) -> None:
    """Check that a rating of this level may carry these tags.

    Raises:
        TagUnknown, TagOfOtherLevel, TagRetired: it may not; the tags are named.
    """
    rows = await repository.find_tags(session, codes)
    known = {row.code: (row.level, row.is_retired) for row in rows}
    refused = refused_tags(codes, level, known)
    reason = first_reason(refused)
    if reason is not None:
        raise _ERRORS[reason](tags=refused[reason])


async def texts_of(session: AsyncSession, codes: Iterable[str]) -> dict[str, str | None]:
    """Wordings of tags, retired ones too."""
    rows = await repository.find_tags(session, sorted(set(codes)))
    return {row.code: row.text for row in rows}


async def load_tags(session: AsyncSession, content: TagFile) -> int:
    """Load the data file's tags; return how many are in use."""
    rows: list[dict[str, Any]] = [
        {
            "code": tag.code,
            "level": level.level.value,
            "text": tag.text,
            "version": tag.version,
            "is_base": tag.base,
            "is_retired": tag.retired,
        }
        for level in content.levels
        for tag in level.tags
    ]
    await repository.upsert_tags(session, rows)
    await repository.retire_all_but(session, [row["code"] for row in rows])
    return sum(not row["is_retired"] for row in rows)
