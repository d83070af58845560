"""Queries of the local copies and reference tables."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.catalogue import BundlePublished, BundleState, ItemState
from contracts.facilities import DivisionRecorded
from servicekit.copies import keep_newest
from services.requests.models import (
    CatalogueBundle,
    CatalogueItem,
    CopyRevision,
    Division,
    RoutingRuleSet,
    Unit,
)

_ITEM = CatalogueItem.metadata.tables["catalogue_item"]
_BUNDLE = CatalogueBundle.metadata.tables["catalogue_bundle"]
_DIVISION = Division.metadata.tables["division"]


async def bump(session: AsyncSession, copy_name: str) -> None:
    """Tell the API processes that a copy changed."""
    statement = insert(CopyRevision).values(copy_name=copy_name, revision=1)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["copy_name"], set_={"revision": CopyRevision.revision + 1}
        )
    )


async def revisions(session: AsyncSession) -> tuple[tuple[str, int], ...]:
    """How often each copy changed so far."""
    rows = await session.execute(
        select(col(CopyRevision.copy_name), col(CopyRevision.revision)).order_by(
            col(CopyRevision.copy_name)
        )
    )
    return tuple((name, revision) for name, revision in rows)


async def keep_item(session: AsyncSession, event: ItemState) -> None:
    """Store an item's state unless a newer one is there.

    Revisions decide; only among states from before there were any, the time does.
    """
    values = {
        "item_id": event.item_id,
        "item_code": event.item_code,
        "version": event.version,
        "status": event.status,
        "state": event.model_dump(mode="json"),
        "revision": event.revision,
        "recorded_at": event.recorded_at,
    }
    await keep_newest(session, _ITEM, values, by=("revision", "recorded_at"))


async def keep_bundle(session: AsyncSession, event: BundleState) -> None:
    """Store a bundle's state unless a newer one is there."""
    values = {
        "bundle_id": event.bundle_id,
        "bundle_code": event.bundle_code,
        "is_open": isinstance(event, BundlePublished),
        "state": event.model_dump(mode="json"),
        "revision": event.revision,
    }
    await keep_newest(session, _BUNDLE, values, by=("revision",))


async def list_bundles(session: AsyncSession) -> Sequence[Any]:
    """Every bundle of the copy, the newest last."""
    columns = (col(CatalogueBundle.is_open), col(CatalogueBundle.state))
    return (await session.execute(select(*columns).order_by(col(CatalogueBundle.revision)))).all()


async def keep_division(session: AsyncSession, event: DivisionRecorded) -> None:
    """Store a division's state unless a newer one is there."""
    values = event.model_dump(include={"code", "name", "valid_until", "recorded_at"})
    await keep_newest(session, _DIVISION, values, by=("recorded_at",))


async def list_items(session: AsyncSession) -> Sequence[Any]:
    """Every item of the copy: id, status, state, and what tells this state from others."""
    columns = (
        col(CatalogueItem.item_id),
        col(CatalogueItem.status),
        col(CatalogueItem.state),
        col(CatalogueItem.revision),
        col(CatalogueItem.recorded_at),
    )
    return (await session.execute(select(*columns))).all()


async def list_divisions(session: AsyncSession) -> dict[str, str]:
    """Code → name of every division that still exists."""
    rows = await session.execute(
        select(col(Division.code), col(Division.name)).where(col(Division.valid_until).is_(None))
    )
    return {row[0]: row[1] for row in rows}


async def list_units(session: AsyncSession) -> dict[str, str]:
    """Code → name of every unit."""
    rows = await session.execute(select(col(Unit.code), col(Unit.name)))
    return {row[0]: row[1] for row in rows}


async def find_active_rules(session: AsyncSession) -> Any | None:
    """The active rule set: version and rules."""
    statement = select(col(RoutingRuleSet.version), col(RoutingRuleSet.rules)).where(
        col(RoutingRuleSet.state) == "active"
    )
    return (await session.execute(statement)).one_or_none()


_OPEN_BY_UNIT = text("""
SELECT unit_code, sum(cases)::int FROM (
    SELECT unit_code, cases FROM work_count UNION ALL SELECT unit_code, cases FROM work_delta
) AS kept WHERE unit_code <> '' GROUP BY unit_code
""")


async def count_open_by_unit(session: AsyncSession) -> dict[str, int]:
    """Unit → open cases."""
    return {row[0]: row[1] for row in await session.execute(_OPEN_BY_UNIT)}
