"""Every query on cases."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.requests.cases.rules import OPEN
from services.requests.models import (
    CaseFollowUp,
    CaseHistory,
    CaseOpinion,
    CasePause,
    CasePayment,
    CitizenRequest,
    CorrectionNotice,
    ServiceCase,
    UnitMember,
)
from services.requests.submissions.repository import party_columns

C, R = ServiceCase, CitizenRequest
SUMMARY: tuple[Any, ...] = (
    col(C.id), col(C.case_number), col(C.item_code), col(C.item_name), col(C.division_code),
    col(C.unit_code), col(C.unit_name), col(C.state), col(C.version), col(C.received_on),
    col(C.due_on), col(C.light), col(C.assignee_id), col(C.assignee_name), col(C.first_taker_name),
)  # fmt: skip
_WHOLE: tuple[Any, ...] = (
    *SUMMARY, col(C.request_id), col(C.applicant_id), col(C.item_id), col(C.item_version),
    col(C.promised_days), col(C.promised_unit), col(C.accepted_on), col(C.completed_on),
    col(C.result_code), col(C.granted), col(C.answers), col(C.materials), col(C.routing), col(C.first_taker_id),
    col(C.extended_days), col(C.paused_days), col(C.paused_on), col(C.remaining_days),
    col(C.decided_on), col(C.delivered_on), col(C.archived_on), col(C.reopened_times),
    col(R.number).label("request_number"), col(R.submitted_at), col(R.applicant_name),
    col(R.identity_number), col(R.mobile), *party_columns(),
)  # fmt: skip
#: What a reader of a case is shown as it stands.
SHOWN = tuple(
    column.key
    for column in _WHOLE
    if column.key
    not in {"applicant_id", "item_id", "item_version", "answers", "materials", "routing", "submitted_at",
            "applicant_name", "identity_number", "mobile", "first_taker_id",
            *(column.key for column in party_columns())}
)  # fmt: skip


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


async def update_case(session: AsyncSession, case_id: UUID, changes: dict[str, Any]) -> None:
    """Change a locked case."""
    await session.execute(update(C).where(col(C.id) == case_id).values(**changes))


async def append_history(session: AsyncSession, entry: dict[str, Any]) -> None:
    """Append what happened."""
    await session.execute(insert(CaseHistory).values(**entry))


async def write_beside(
    session: AsyncSession, table: type[Any], values: dict[str, Any], where: dict[str, Any] | None
) -> None:
    """Insert a row beside a locked case, or change the rows that match."""
    if where is None:
        await session.execute(insert(table).values(**values))
        return
    matches = [getattr(table, name) == value for name, value in where.items()]
    await session.execute(update(table).where(*matches).values(**values))


async def list_beside(
    session: AsyncSession, case_id: UUID
) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any], Sequence[Any]]:
    """The pauses, opinions, follow-ups and payments of a case, in order."""
    pauses = select(CasePause.__table__).where(col(CasePause.case_id) == case_id)  # type: ignore[attr-defined]
    follow_ups = select(CaseFollowUp.__table__).where(col(CaseFollowUp.case_id) == case_id)  # type: ignore[attr-defined]
    payments = select(CasePayment.__table__).where(col(CasePayment.case_id) == case_id)  # type: ignore[attr-defined]
    return (
        (await session.execute(pauses.order_by(col(CasePause.number)))).all(),
        await list_opinions(session, case_id),
        (await session.execute(follow_ups.order_by(col(CaseFollowUp.id)))).all(),
        (await session.execute(payments.order_by(col(CasePayment.recorded_at)))).all(),
    )


async def list_opinions(session: AsyncSession, case_id: UUID) -> Sequence[Any]:
    """What units were asked about a case, and what they answered, in the order of asking."""
    statement = select(CaseOpinion.__table__).where(col(CaseOpinion.case_id) == case_id)  # type: ignore[attr-defined]
    found: Sequence[Any] = (
        await session.execute(statement.order_by(col(CaseOpinion.asked_at)))
    ).all()
    return found


async def find_follow_up(session: AsyncSession, follow_up_id: UUID) -> Any | None:
    """A follow-up by its id."""
    columns = (
        col(CaseFollowUp.case_id), col(CaseFollowUp.kind), col(CaseFollowUp.material_code),
        col(CaseFollowUp.what), col(CaseFollowUp.due_on), col(CaseFollowUp.outcome),
        col(CaseFollowUp.ended_at),
    )  # fmt: skip
    statement = select(*columns).where(col(CaseFollowUp.id) == follow_up_id)
    return (await session.execute(statement)).one_or_none()


async def note_member(session: AsyncSession, unit_code: str, account_id: UUID, name: str) -> None:
    """Note somebody at work in a unit; written at most once a day for each."""
    statement = upsert(UnitMember).values(
        unit_code=unit_code, account_id=account_id, name=name, seen_at=func.now()
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["unit_code", "account_id"],
            set_={"name": name, "seen_at": func.now()},
            where=or_(
                col(UnitMember.seen_at) < func.now() - text("interval '1 day'"),
                col(UnitMember.name) != name,
            ),
        )
    )


async def find_member_name(
    session: AsyncSession, unit_codes: Sequence[str], account_id: UUID
) -> str | None:
    """The name of somebody seen at work in one of these units."""
    statement = select(col(UnitMember.name)).where(
        col(UnitMember.unit_code).in_(unit_codes), col(UnitMember.account_id) == account_id
    )
    return (await session.scalars(statement.limit(1))).one_or_none()


async def answer_notice(session: AsyncSession, case_id: UUID, values: dict[str, Any]) -> None:
    """Note the applicant's answer."""
    statement = update(CorrectionNotice).where(col(CorrectionNotice.case_id) == case_id)
    await session.execute(statement.values(**values))


async def list_touched(
    session: AsyncSession,
    *,
    first_day: date,
    last_day: date,
    division_code: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[UUID]:
    """Open cases that may count days between two, by id; locked in that order until the commit.

    Those without a due date are among them: they wait for a year, or stand still.
    """
    statement = select(col(C.id)).where(
        col(C.state).in_(OPEN),
        or_(col(C.due_on).is_(None), col(C.due_on) >= first_day),
        or_(col(C.received_on).is_(None), col(C.received_on) <= last_day),
    )
    if division_code is not None:
        statement = statement.where(
            col(C.division_code).startswith(division_prefix(division_code), autoescape=True)
        )
    if after is not None:
        statement = statement.where(col(C.id) > after)
    locked = statement.order_by(col(C.id)).limit(limit).with_for_update(of=C)
    return (await session.scalars(locked)).all()


_COUNT_DURATION = text("""
INSERT INTO duration_count AS d (item_id, unit_code, days, cases)
VALUES (:item_id, :unit_code, :days, 1)
ON CONFLICT (item_id, unit_code, days) DO UPDATE SET cases = d.cases + 1
""")


async def count_duration(session: AsyncSession, item_id: UUID, unit_code: str, days: int) -> None:
    """Note how long a case took."""
    await session.execute(
        _COUNT_DURATION, {"item_id": item_id, "unit_code": unit_code, "days": days}
    )
