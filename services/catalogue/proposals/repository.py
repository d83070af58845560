"""Every query about proposals, and the counts of use they are drawn from."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.models import ItemScore, ItemUse, Proposal, ProposalState


def _proposals() -> Select[Any]:
    return select(*Proposal.__table__.c)  # type: ignore[attr-defined]


async def lock(session: AsyncSession, proposal_id: UUID) -> Any | None:
    """A proposal, locked until the transaction ends."""
    query = _proposals().where(col(Proposal.id) == proposal_id).with_for_update()
    return (await session.execute(query)).one_or_none()


async def is_known(
    session: AsyncSession, *, division_code: str, kind: str, subject: str, source: str
) -> bool:
    """Whether this list, or a newer one, has made a proposal of the subject already."""
    query = select(col(Proposal.id)).where(
        col(Proposal.division_code) == division_code,
        col(Proposal.kind) == kind,
        col(Proposal.subject) == subject,
        col(Proposal.source) >= source,
    )
    return (await session.execute(query.limit(1))).first() is not None


async def list_page(
    session: AsyncSession,
    *,
    within: str,
    kind: str | None,
    state: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    query = (
        _proposals()
        .where(col(Proposal.division_code).startswith(division_prefix(within)))
        .order_by(col(Proposal.id))
        .limit(limit)
    )
    if kind is not None:
        query = query.where(col(Proposal.kind) == kind)
    if state is not None:
        query = query.where(col(Proposal.state) == state)
    if after is not None:
        query = query.where(col(Proposal.id) > after)
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def put_open(session: AsyncSession, **values: Any) -> None:
    """Keep an open proposal; a later one of the same subject brings it newer figures."""
    statement = postgresql.insert(Proposal).values(**values, state=ProposalState.open, version=1)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["division_code", "kind", "subject"],
            index_where=col(Proposal.state) == ProposalState.open,
            set_={
                "grounds": statement.excluded.grounds,
                "source": statement.excluded.source,
                "version": col(Proposal.version) + 1,
            },
            where=col(Proposal.source) < statement.excluded.source,
        )
    )


async def drop_open(session: AsyncSession, *, division_code: str, kind: str, subject: str) -> None:
    """Forget an open proposal whose grounds are gone."""
    await session.execute(
        delete(Proposal).where(
            col(Proposal.division_code) == division_code,
            col(Proposal.kind) == kind,
            col(Proposal.subject) == subject,
            col(Proposal.state) == ProposalState.open,
        )
    )


async def decide(session: AsyncSession, proposal_id: UUID, **values: Any) -> None:
    await session.execute(update(Proposal).where(col(Proposal.id) == proposal_id).values(**values))


async def find(session: AsyncSession, proposal_id: UUID) -> Any | None:
    query = _proposals().where(col(Proposal.id) == proposal_id)
    return (await session.execute(query)).one_or_none()


async def count_use(
    session: AsyncSession, *, item_id: UUID, division_code: str, month: date, cases: int
) -> None:
    """Add cases to a month."""
    statement = postgresql.insert(ItemUse).values(
        item_id=item_id, division_code=division_code, month=month, cases=cases
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["item_id", "division_code", "month"],
            set_={"cases": col(ItemUse.cases) + statement.excluded.cases},
        )
    )


async def find_score(session: AsyncSession, item_id: UUID) -> Any | None:
    query = select(col(ItemScore.rated), col(ItemScore.satisfaction_ratio)).where(
        col(ItemScore.item_id) == item_id
    )
    return (await session.execute(query)).one_or_none()
