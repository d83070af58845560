"""Queries of the access record."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.requests.models import CitizenRequest as R
from services.requests.models import DataAccess as D
from services.requests.models import PartyRole
from services.requests.models import RequestParty as P


async def list_of_subject(
    session: AsyncSession, subject_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Accesses to one person's data, newest first (ids are time-ordered).

    Also those from before: under the id staff took the person's requests in with, once claimed.
    """
    columns = (
        col(D.id),
        col(D.viewer_name),
        col(D.viewer_unit),
        col(D.record),
        col(D.fields),
        col(D.reason),
        col(D.seen_at),
    )
    before = (
        select(col(R.applicant_id))
        .join(P, col(P.request_id) == col(R.id))
        .where(
            col(P.account_id) == subject_id,
            col(P.role) == PartyRole.claimant,
            col(R.submitted_by).is_not(None),
        )
    )
    subjects = [subject_id, *(await session.scalars(before.distinct()))]
    statement = select(*columns).where(col(D.subject_id).in_(subjects))
    if after is not None:
        statement = statement.where(col(D.id) < after)
    return (await session.execute(statement.order_by(col(D.id).desc()).limit(limit))).all()
