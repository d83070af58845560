"""Looking a division up by its name path."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.divisions import lineage, repository
from services.facilities.divisions.names import folded, is_transparent, rest_after
from services.facilities.divisions.schemas import PathMatch

#: More than one division of a name at each of five levels does not happen; a bad text may.
MAX_MATCHES = 20
MAX_STEPS = 200


async def by_path(session: AsyncSession, text: str) -> list[PathMatch]:
    """The divisions that a name path leads to: those that use up most of it.

    It may begin at a province, a city or a county, and leave out endings, separators and nodes
    such as 市辖区. Former names lead to where they are now.
    """
    wanted = folded(text)
    found: list[tuple[str, Any]] = []
    waiting: list[tuple[str, Any]] = _steps(wanted, await lineage.possible_starts(session, wanted))
    for _ in range(MAX_STEPS):
        if not waiting:
            break
        rest, row = waiting.pop()
        below = await lineage.named_children(session, row.code) if rest else []
        further = _steps(rest, below) + [
            (rest, child) for child in below if is_transparent(child.name)
        ]
        waiting += further
        if not is_transparent(row.name):
            found.append((rest, row))
    if not found:
        return []
    least = min(len(rest) for rest, _ in found)
    best = {row.code: row for rest, row in found if len(rest) == least}
    rows = [best[code] for code in sorted(best)][:MAX_MATCHES]
    return await _matches(session, rows, unread=wanted[len(wanted) - least :])


def _steps(text: str, rows: Sequence[Any]) -> list[tuple[str, Any]]:
    found = [(rest_after(text, [row.name, *row.former_names], row.level), row) for row in rows]
    return [(rest, row) for rest, row in found if rest is not None]


async def _matches(session: AsyncSession, rows: Sequence[Any], *, unread: str) -> list[PathMatch]:
    paths = await repository.paths(session, [row.code for row in rows])
    return [
        PathMatch(
            code=row.code,
            name=row.name,
            level=row.level,
            parent_code=row.parent_code,
            community_kind=row.community_kind,
            path="/".join(name for _, name in paths[row.code]),
            valid_until=row.valid_until,
            unread=unread,
        )
        for row in rows
    ]
