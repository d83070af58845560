"""Queries of units, rule sets and the dispatch queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.requests.models import RoutingActivation as A
from services.requests.models import RoutingRuleSet as S
from services.requests.models import Unit

_SET = (
    col(S.version), col(S.state), col(S.note), col(S.edit), col(S.activated_at),
    col(S.activates_at), func.jsonb_array_length(col(S.rules)).label("rule_count"),
)  # fmt: skip
#: Held while a version is made or takes over: they are rare and must not overlap.
_LOCK = text("SELECT pg_advisory_xact_lock(7303)")


async def list_units(
    session: AsyncSession, *, within: str | None, after: str | None, limit: int
) -> Sequence[Any]:
    """Units below a division, by code."""
    statement = select(
        col(Unit.code),
        col(Unit.name),
        col(Unit.division_code),
        col(Unit.department),
        col(Unit.provisional),
    )
    if within:
        statement = statement.where(col(Unit.code).startswith(division_prefix(within)))
    if after:
        statement = statement.where(col(Unit.code) > after)
    return (await session.execute(statement.order_by(col(Unit.code)).limit(limit))).all()


async def lock_rule_sets(session: AsyncSession) -> None:
    """Keep others from making or activating versions until the commit."""
    await session.execute(_LOCK)


async def list_rule_sets(session: AsyncSession, *, after: int | None, limit: int) -> Sequence[Any]:
    """Versions without their rules, newest first."""
    statement = select(*_SET)
    if after is not None:
        statement = statement.where(col(S.version) < after)
    return (await session.execute(statement.order_by(col(S.version).desc()).limit(limit))).all()


async def find_rule_set(session: AsyncSession, version: int) -> Any | None:
    """A version with its rules."""
    statement = select(*_SET, col(S.rules)).where(col(S.version) == version)
    return (await session.execute(statement)).one_or_none()


async def insert_draft(session: AsyncSession, note: str, rules: list[dict[str, Any]]) -> int:
    """Make the next version, as a draft."""
    newest = (await session.execute(select(func.max(col(S.version))))).scalar_one()
    version = (newest or 0) + 1
    await session.execute(insert(S).values(version=version, state="draft", note=note, rules=rules))
    return version


async def change(session: AsyncSession, version: int, **values: Any) -> None:
    """Change a version."""
    await session.execute(update(S).where(col(S.version) == version).values(**values))


async def activate(
    session: AsyncSession, version: int, *, note: str, actor_name: str | None, id_: UUID
) -> None:
    """Let a version take over from the active one, and note from which."""
    replaced = (
        await session.scalars(select(col(S.version)).where(col(S.state) == "active"))
    ).one_or_none()
    await session.execute(update(S).where(col(S.state) == "active").values(state="retired"))
    await change(session, version, state="active", activated_at=func.now(), activates_at=None)
    await session.execute(
        insert(A).values(
            id=id_,
            version=version,
            replaced=replaced,
            note=note,
            actor_name=actor_name,
            activated_at=func.now(),
        )
    )


async def find_replaced(session: AsyncSession) -> int | None:
    """The version that the active one took over from."""
    statement = (
        select(col(A.replaced))
        .join(S, (col(S.version) == col(A.version)) & (col(S.state) == "active"))
        .order_by(col(A.id).desc())
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def list_activations(session: AsyncSession, limit: int) -> Sequence[Any]:
    """Which version took over from which, newest first."""
    columns = (
        col(A.version), col(A.replaced), col(A.note), col(A.actor_name), col(A.activated_at)
    )  # fmt: skip
    return (await session.execute(select(*columns).order_by(col(A.id).desc()).limit(limit))).all()


async def schedule(session: AsyncSession, version: int, at: datetime) -> None:
    """Let a draft wait for its time."""
    await change(session, version, state="scheduled", activates_at=at)
