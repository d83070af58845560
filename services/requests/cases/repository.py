"""Every query on cases."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.requests.models import (
    CaseHistory,
    CaseState,
    CitizenRequest,
    CorrectionNotice,
    ServiceCase,
)
from services.requests.submissions.repository import party_columns

C, R = ServiceCase, CitizenRequest
_SUMMARY: tuple[Any, ...] = (
    col(C.id), col(C.case_number), col(C.item_code), col(C.item_name), col(C.division_code),
    col(C.unit_code), col(C.unit_name), col(C.state), col(C.version), col(C.received_on),
    col(C.due_on),
)  # fmt: skip
_WHOLE: tuple[Any, ...] = (
    *_SUMMARY, col(C.request_id), col(C.applicant_id), col(C.item_id), col(C.item_version),
    col(C.promised_days), col(C.promised_unit), col(C.accepted_on), col(C.completed_on),
    col(C.result_code), col(C.granted), col(C.answers), col(C.materials),
    col(R.number).label("request_number"), col(R.submitted_at), col(R.applicant_name),
    col(R.identity_number), col(R.mobile), *party_columns(),
)  # fmt: skip
OPEN_STATES = (CaseState.received, CaseState.correcting, CaseState.accepted, CaseState.decided)


async def find_case(session: AsyncSession, case_id: UUID, *, lock: bool = False) -> Any | None:
    """A case with its request; `lock` keeps others from changing it until the commit."""
    statement = select(*_WHOLE).join(R, col(R.id) == col(C.request_id)).where(col(C.id) == case_id)
    if lock:
        statement = statement.with_for_update(of=C)
    return (await session.execute(statement)).one_or_none()


async def find_notice(session: AsyncSession, case_id: UUID) -> Any | None:
    """The case's correction notice."""
    columns = (
        col(CorrectionNotice.missing),
        col(CorrectionNotice.issued_at),
        col(CorrectionNotice.answer_by),
        col(CorrectionNotice.answered_at),
    )
    statement = select(*columns).where(col(CorrectionNotice.case_id) == case_id)
    return (await session.execute(statement)).one_or_none()


async def list_history(session: AsyncSession, case_id: UUID) -> Sequence[Any]:
    """What happened to a case, in order."""
    columns = (
        col(CaseHistory.version),
        col(CaseHistory.action),
        col(CaseHistory.from_state),
        col(CaseHistory.to_state),
        col(CaseHistory.actor_name),
        col(CaseHistory.actor_unit),
        col(CaseHistory.note),
        col(CaseHistory.happened_at),
    )
    statement = select(*columns).where(col(CaseHistory.case_id) == case_id).order_by(columns[0])
    return (await session.execute(statement)).all()


async def list_open_of_unit(
    session: AsyncSession, unit_code: str, *, state: str | None, after: Any, limit: int
) -> Sequence[Any]:
    """A unit's open cases by due date, those without one last."""
    return await _work_list(session, col(C.unit_code) == unit_code, state, after, limit)


async def list_open_within(
    session: AsyncSession, division_code: str, *, state: str | None, after: Any, limit: int
) -> Sequence[Any]:
    """Open cases of a division's subtree by due date."""
    below = col(C.division_code).startswith(division_prefix(division_code), autoescape=True)
    return await _work_list(session, below, state, after, limit)


async def _work_list(
    session: AsyncSession,
    scope: ColumnElement[bool],
    state: str | None,
    after: tuple[date | None, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    statement = select(*_SUMMARY).where(scope, col(C.state).in_([state] if state else OPEN_STATES))
    if after is not None:
        statement = statement.where(_beyond(*after))
    ordered = statement.order_by(col(C.due_on), col(C.id)).limit(limit)
    return (await session.execute(ordered)).all()


def _beyond(due_on: date | None, case_id: UUID) -> ColumnElement[bool]:
    if due_on is None:
        return and_(col(C.due_on).is_(None), col(C.id) > case_id)
    later = tuple_(col(C.due_on), col(C.id)) > (due_on, case_id)
    return or_(later, col(C.due_on).is_(None))


async def update_case(session: AsyncSession, case_id: UUID, changes: dict[str, Any]) -> None:
    """Change a locked case."""
    await session.execute(update(C).where(col(C.id) == case_id).values(**changes))


async def append_history(session: AsyncSession, entry: dict[str, Any]) -> None:
    """Append what happened."""
    await session.execute(insert(CaseHistory).values(**entry))


async def insert_notice(session: AsyncSession, notice: dict[str, Any]) -> None:
    """Issue the one correction notice; a second one violates its primary key."""
    await session.execute(insert(CorrectionNotice).values(**notice))


async def answer_notice(session: AsyncSession, case_id: UUID, values: dict[str, Any]) -> None:
    """Note the applicant's answer."""
    statement = update(CorrectionNotice).where(col(CorrectionNotice.case_id) == case_id)
    await session.execute(statement.values(**values))


async def list_without_due_date(session: AsyncSession, limit: int) -> Sequence[Any]:
    """Open cases whose limit could not be computed for want of a calendar year; locked."""
    statement = (
        select(*_WHOLE)
        .join(R, col(R.id) == col(C.request_id))
        .where(col(C.due_on).is_(None), col(C.state).in_(OPEN_STATES))
        .order_by(col(C.id))
        .limit(limit)
        .with_for_update(of=C)
    )
    return (await session.execute(statement)).all()
