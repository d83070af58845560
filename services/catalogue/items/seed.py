"""Loads the starter catalogue that ships with the product; running it again changes nothing."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import Database
from servicekit.identifiers import new_id
from servicekit.outbox import now
from services.catalogue.editing import Hand, remembered
from services.catalogue.items import publishing, repository, rules
from services.catalogue.items.content import ItemContent
from services.catalogue.models import Status

#: 运城市: the starter items are drawn from its plan and offered in all its counties.
DIVISION = "140800000000"
SEED = "seed"
REASON = "暂定事项数据导入"
#: The same as safe_load, ten times as fast where libyaml was built in.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Two seeds at once would both find the catalogue empty.
_LOCK = text("SELECT pg_advisory_xact_lock(7303)")


class SeedRefused(SystemExit):
    """The data that ships with the product breaks the product's own rules."""


class Outcome(StrEnum):
    """What became of one item of the data."""

    unchanged = "unchanged"
    changed = "changed"
    #: People have taken the item over; their text stays.
    kept = "kept"


async def seed(database: Database, data: Path) -> str:
    """Publish the items of `catalogue/items`; returns a line that says what changed.

    Raises:
        SeedRefused: an item is malformed or inconsistent; every violation is listed.
    """
    items = read_items(data / "catalogue" / "items")
    async with database.transaction() as session:
        await session.execute(_LOCK)
        outcomes = [await _keep(session, code, content) for code, content in items.items()]
    kept = outcomes.count(Outcome.kept)
    line = f"catalogue: {len(items)} items, {outcomes.count(Outcome.changed)} changed"
    return f"{line}, {kept} kept as edited here" if kept else line


def read_items(directory: Path) -> dict[str, ItemContent]:
    """Read and check the items of a directory by their codes.

    Raises:
        SeedRefused: an item is malformed or inconsistent; every violation is listed.
    """
    items: dict[str, ItemContent] = {}
    problems: list[str] = []
    for path, entry in _entries(directory):
        code = entry.pop("item_code")
        if code in items:
            problems.append(f"{path.name} {code}: the code is there twice")
        try:
            content = ItemContent.model_validate(entry)
        except ValidationError as error:
            problems.append(f"{path.name} {code}: {error}")
            continue
        problems += [
            f"{path.name} {code}{found.path}: {found.rule}: {found.message}"
            for found in rules.violations(code, content)
        ]
        items[code] = content
    if problems:
        raise SeedRefused("\n".join(problems))
    return items


def _entries(directory: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(directory.glob("*.yaml")):
        for entry in yaml.load(path.read_text(encoding="utf-8"), _Loader):  # noqa: S506 - a safe one
            yield path, entry


async def _keep(session: AsyncSession, item_code: str, content: ItemContent) -> Outcome:
    item_id = await repository.find_id(session, division_code=DIVISION, item_code=item_code)
    if item_id is None:
        item_id = new_id()
        await _add(session, item_id, item_code, content)
        await _publish(session, item_id, content, before=None)
        return Outcome.changed
    item = await repository.lock_item(session, item_id)
    assert item is not None
    last = await repository.find_last_hash(session, item_id, author=SEED)
    if last is not None and last[1] == publishing.content_hash(content):
        return Outcome.unchanged
    if last is None or last[0] != item.current_version or item.status == Status.retired:
        return Outcome.kept
    await _publish(session, item_id, content, before=item)
    return Outcome.changed


async def _add(session: AsyncSession, item_id: UUID, item_code: str, content: ItemContent) -> None:
    at = now()
    await repository.add_item(
        session,
        id=item_id,
        item_code=item_code,
        division_code=DIVISION,
        status=Status.draft,
        version=0,
        created_at=at,
        changed_at=at,
        **publishing.listed(content),
    )


async def _publish(
    session: AsyncSession, item_id: UUID, content: ItemContent, *, before: Any | None
) -> None:
    """Publish a text without an editor and an approver: a provisional import, named as such."""
    at = now()
    status = Status.published if before is None else Status(before.status)
    number = 1 if before is None else before.current_version + 1
    await publishing.add_version(
        session,
        item_id,
        number,
        content,
        authors=[SEED],
        author_name=None,
        approver=SEED,
        approver_name=None,
        reason=REASON,
        at=at,
    )
    await repository.change_item(
        session,
        item_id,
        version=1 if before is None else before.version + 1,
        changed_at=at,
        status=status,
        current_version=number,
        revision=await repository.next_revision(session),
        **publishing.listed(content),
    )
    stood = None if before is None else before.status
    line = remembered(Hand(SEED, None), "import", stood, status, at, number=number, reason=REASON)
    await repository.add_history(session, {"item_id": item_id, **line})
    item = await repository.get_item(session, item_id)
    await publishing.announce(session, item, at, is_new_version=True)
