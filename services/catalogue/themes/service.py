"""Use cases of themes and categories."""

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.outbox import now
from services.catalogue.divisions import division_chain
from services.catalogue.items.violation import Violation
from services.catalogue.revisions import next_revision
from services.catalogue.themes import repository, rules
from services.catalogue.themes.schemas import ThemePut
from services.catalogue.words import spell_all


class ThemeNotFound(NotFound):
    code, title = "theme-not-found", "没有这个主题"


class ThemeTaken(Conflict):
    code, title = "theme-taken", "刚刚有人建立了这个主题，请刷新后再试"


class ThemeInvalid(Invalid):
    code, title = "theme-invalid", "主题里有不能列的事项"


async def list_all(session: AsyncSession) -> Any:
    """Every theme, for search."""
    return await repository.list_all(session)


async def put(
    session: AsyncSession,
    caller: Caller,
    *,
    division: str,
    code: str,
    body: ThemePut,
    expected: int | None,
) -> Any:
    """Write a theme whole.

    Raises:
        WrongDivision: outside the editor's division.
        StaleVersion: somebody else changed it since it was read.
        ThemeInvalid: items that are not public or not of this division; all are listed.
        ThemeTaken: at commit, when somebody else made it meanwhile.

    Concurrency: locks the theme, then the catalogue's revision.
    """
    caller.ensure_covers(division)
    known = await repository.lock(session, division, code)
    if (known.version if known else None) != expected:
        raise StaleVersion
    items = list(dict.fromkeys(body.items))
    there = await repository.known_items(session, items, division_chain(division))
    wrong = [
        Violation(f"/items/{n}", "item-not-public", f"本区域没有公布事项 {item_id}", "先公布再列入")
        for n, item_id in enumerate(body.items)
        if item_id not in there
    ]
    if wrong:
        raise ThemeInvalid(errors=[each.as_error() for each in wrong])
    theme_id = known.id if known else new_id()
    await repository.put(
        session,
        items,
        id=theme_id,
        division_code=division,
        code=code,
        name=body.name,
        subject=body.subject,
        aliases=list(body.aliases),
        spelling=spell_all((body.name, *body.aliases)),
        position=body.position,
        provisional=body.provisional,
        source=body.source,
        version=(expected or 0) + 1,
        changed_by=str(caller.account_id),
        changed_at=now(),
    )
    await next_revision(session)
    return await get(session, theme_id)


async def drop(
    session: AsyncSession, caller: Caller, *, division: str, code: str, expected: int
) -> None:
    """Forget a theme; its items stay.

    Raises:
        WrongDivision, StaleVersion: as for every change.
        ThemeNotFound: there is no such theme.
    """
    caller.ensure_covers(division)
    known = await repository.lock(session, division, code)
    if known is None:
        raise ThemeNotFound
    if known.version != expected:
        raise StaleVersion
    await repository.drop(session, known.id)
    await next_revision(session)


async def get(session: AsyncSession, theme_id: UUID) -> dict[str, Any]:
    """A theme as `ThemeRead` describes it.

    Raises:
        ThemeNotFound: there is none.
    """
    row = await repository.find(session, theme_id)
    if row is None:
        raise ThemeNotFound
    items = await repository.items_of(session, theme_id)
    return {
        **row._asdict(),
        "items": [each._asdict() for each in items],
        "bundles": await repository.bundles_of(session, row.code),
    }


async def list_of(session: AsyncSession, division: str, subject: str | None) -> list[Any]:
    """Themes shown to people of a division."""
    return [row._asdict() for row in await repository.list_of(session, division, subject)]


async def categories(session: AsyncSession, division: str) -> dict[str, Any]:
    """The policies' headings and how many items a division's people find under each."""
    rows = await repository.counts(session, division)
    answer = {}
    for key, attribute, names in (
        ("supply_categories", "supply_category", rules.SUPPLY_CATEGORIES),
        ("item_kinds", "item_kind", rules.ITEM_KINDS),
        ("functions", "function", rules.FUNCTIONS),
    ):
        counted: Counter[str] = Counter()
        for row in rows:
            counted[getattr(row, attribute)] += row.items
        answer[key] = [
            {"code": code, "name": name, "items": counted[code]} for code, name in names.items()
        ]
    return answer
