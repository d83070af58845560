"""The division tree: loaded in bulk, looked up by code, parent, prefix and part of the name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import DivisionRecorded
from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel, division_prefix
from servicekit import outbox
from servicekit.errors import NotFound
from servicekit.paging import Page, cut, encode_cursor
from services.facilities.divisions import lineage, repository
from services.facilities.divisions.repository import DivisionFilter
from services.facilities.divisions.rules import DivisionRow, numbering_warnings, refusals
from services.facilities.divisions.schemas import (
    Ancestor,
    ChangePart,
    ChangeRead,
    DivisionEntry,
    DivisionRead,
)

#: Rows of one statement: the list of a city at once, the national list in a bounded memory.
CHUNK_ROWS = 10_000
_CODE_DIGITS = SIGNIFICANT_DIGITS[DivisionLevel.community]


class DivisionNotFound(NotFound):
    code, title = "division-not-found", "没有这个行政区划"


class DivisionsRefused(Exception):
    """The list breaks the tree; nothing of it was loaded."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"{len(reasons)} rows refused: " + "; ".join(reasons[:20]))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading a list did."""

    read: int
    changed: int
    warnings: list[str]


async def load(session: AsyncSession, rows: Sequence[DivisionRow], *, source: str) -> LoadReport:
    """Record a list of divisions; publish those that are new or other than before.

    Divisions that the list does not name stay as they are. Dates of validity are left alone.

    Raises:
        DivisionsRefused: a row is malformed or has no parent; nothing was written.
    """
    reasons = refusals(rows, await repository.list_codes(session))
    if reasons:
        raise DivisionsRefused(reasons)
    recorded_at = outbox.now()
    # Parents first, in the table and in the topic.
    ordered = sorted(rows, key=lambda row: (SIGNIFICANT_DIGITS[DivisionLevel(row.level)], row.code))
    changed = 0
    for start in range(0, len(ordered), CHUNK_ROWS):
        chunk = ordered[start : start + CHUNK_ROWS]
        written = await repository.record(session, chunk, source=source, recorded_at=recorded_at)
        await outbox.record(session, *(recorded(row) for row in written))
        changed += len(written)
    warnings = [warning for row in rows for warning in numbering_warnings(row)]
    return LoadReport(len(rows), changed, warnings)


async def get(session: AsyncSession, code: str) -> DivisionRead:
    """One division, in force or not.

    Raises:
        DivisionNotFound: never recorded.
    """
    row = await repository.find(session, code)
    if row is None:
        raise DivisionNotFound(f"没有代码为 {code} 的行政区划")
    path = (await repository.paths(session, [code]))[code]
    changes = await list_changes(session, code)
    return DivisionRead(
        **_entry(row, path).model_dump(),
        ancestors=[Ancestor(code=above, name=name) for above, name in path[:-1]],
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        source=row.source,
        changes=changes,
        former_names=_former_names(row, changes),
        now=[
            Ancestor(code=later.code, name=later.name)
            for later in await lineage.successors(session, code)
        ],
    )


async def list_changes(session: AsyncSession, code: str) -> list[ChangeRead]:
    """What became of a division, in the order in which it took effect."""
    rows = await lineage.list_changes(session, code)
    parts = await lineage.list_parts(session, [row.id for row in rows])

    def side(change_id: UUID, name: str) -> list[ChangePart]:
        return [
            ChangePart(code=part.code, name=part.name)
            for part in parts
            if part.change_id == change_id and part.side == name
        ]

    return [
        ChangeRead(
            id=row.id,
            kind=row.kind,
            effective_on=row.effective_on,
            ordered_by=row.ordered_by,
            before=side(row.id, "before"),
            after=side(row.id, "after"),
            recorded_at=row.recorded_at,
        )
        for row in rows
    ]


async def list_children(
    session: AsyncSession, code: str, *, after: str | None, limit: int
) -> Page[DivisionEntry]:
    """The divisions directly below one.

    Raises:
        DivisionNotFound: there is no such parent.
    """
    if await repository.find(session, code) is None:
        raise DivisionNotFound(f"没有代码为 {code} 的行政区划")
    return await list_divisions(session, DivisionFilter(parent_code=code), after=after, limit=limit)


async def list_divisions(
    session: AsyncSession, wanted: DivisionFilter, *, after: str | None, limit: int
) -> Page[DivisionEntry]:
    """Divisions in force, by code."""
    rows = await repository.list_divisions(session, wanted, after=after, limit=limit + 1)
    page, more = cut(list(rows), limit)
    paths = await repository.paths(session, [row.code for row in page])
    entries = [_entry(row, paths[row.code]) for row in page]
    return Page(items=entries, next=encode_cursor(entries[-1].code) if more else None)


async def path_names(session: AsyncSession, codes: Sequence[str]) -> dict[str, str]:
    """Code → 山西省/运城市/…, for other features that show where something is."""
    found = await repository.paths(session, codes)
    return {code: _joined(path) for code, path in found.items()}


async def paths(session: AsyncSession, codes: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Code → (code, name) from the province down, itself last."""
    return await repository.paths(session, codes)


async def is_in_force(session: AsyncSession, code: str) -> bool:
    """Whether something may be recorded in a division today."""
    return await repository.is_in_force(session, code)


def subtree(code: str) -> tuple[str, str]:
    """First and last code at or below a division: a range that an index answers."""
    return prefix_range(division_prefix(code))


def narrowest(within: str | None, prefix: str | None) -> tuple[str, str] | None:
    """The codes that lie both in a subtree and behind a prefix; None without either."""
    ranges = []
    if within is not None:
        ranges.append(subtree(within))
    if prefix is not None:
        ranges.append(prefix_range(prefix))
    if not ranges:
        return None
    return max(first for first, _ in ranges), min(last for _, last in ranges)


def prefix_range(prefix: str) -> tuple[str, str]:
    """First and last 12-digit code that starts with these digits."""
    return prefix.ljust(_CODE_DIGITS, "0"), prefix.ljust(_CODE_DIGITS, "9")


def recorded(row: Any) -> DivisionRecorded:
    """The full state of a division for other services."""
    return DivisionRecorded(
        code=row.code,
        name=row.name,
        level=row.level,
        parent_code=row.parent_code,
        community_kind=row.community_kind,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        recorded_at=row.recorded_at,
    )


def _former_names(row: Any, changes: Sequence[ChangeRead]) -> list[str]:
    names = [part.name for change in changes for part in change.before if part.code == row.code]
    return [name for name in dict.fromkeys(names) if name != row.name]


def _entry(row: Any, path: list[tuple[str, str]]) -> DivisionEntry:
    return DivisionEntry(
        code=row.code,
        name=row.name,
        level=row.level,
        parent_code=row.parent_code,
        community_kind=row.community_kind,
        path=_joined(path),
    )


def _joined(path: list[tuple[str, str]]) -> str:
    return "/".join(name for _, name in path)
