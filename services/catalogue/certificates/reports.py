"""Use cases of reports: a department still demands a certificate; the township coordinates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision, WrongRole
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.paging import cut, encode_cursor, id_cursor
from services.catalogue.certificates import repository, rules, service
from services.catalogue.certificates.rules import Action
from services.catalogue.certificates.schemas import ReportCreate, ReportStep
from services.catalogue.editing import changeable
from services.catalogue.models import ReportState


class ReportNotFound(NotFound):
    code, title = "certificate-report-not-found", "没有找到这条反映"


class NotListed(Invalid):
    code, title = "certificate-not-listed", "这项证明不在不应出具清单里"


class StepRefused(Conflict):
    code, title = "certificate-report-step-refused", "现在的状态不能这样操作"


class OutcomeMissing(Invalid):
    code, title = "outcome-missing", "办结时请写明协调的结果，其他步骤不写"


async def report(session: AsyncSession, caller: Caller, body: ReportCreate) -> Any:
    """Tell the township that a department still demands a certificate.

    Raises:
        WrongDivision: outside the caller's division.
        NotListed: villages are not told to refuse it there.
    """
    caller.ensure_covers(body.division_code)
    listed = await service.find_not_issued(
        session, name=body.certificate, division=body.division_code
    )
    if listed is None:
        raise NotListed
    list_id, name = listed
    at, report_id = now(), new_id()
    await repository.add_report(
        session,
        id=report_id,
        list_id=list_id,
        certificate=name,
        state=ReportState.reported,
        version=1,
        reporter=str(caller.account_id),
        reported_at=at,
        changed_at=at,
        **body.model_dump(exclude={"certificate"}),
    )
    await _remember(session, caller, report_id, "report", None, ReportState.reported, None, at)
    return await repository.find_report(session, report_id)


async def act(
    session: AsyncSession,
    caller: Caller,
    report_id: UUID,
    *,
    action: Action,
    expected: int,
    body: ReportStep,
) -> Any:
    """Take it up, hand it to the county, or settle it.

    Raises:
        ReportNotFound, WrongDivision, StaleVersion: as for every change.
        WrongRole: the step is another's in this state.
        StepRefused: the state has no such step.
        OutcomeMissing: settled without an outcome, or an outcome without settling.

    Concurrency: locks the report.
    """
    row = await repository.find_report(session, report_id, lock=True)
    row = changeable(caller, row, expected, ReportNotFound)
    before = ReportState(row.state)
    step = rules.TRANSITIONS.get((before, action))
    if step is None:
        raise StepRefused
    after, role = step
    if not caller.has(role):
        raise WrongRole
    if (after is ReportState.settled) != (body.outcome is not None):
        raise OutcomeMissing
    at = now()
    await repository.change_report(
        session,
        row.id,
        changed_at=at,
        state=after,
        version=row.version + 1,
        outcome=body.outcome,
    )
    await _remember(session, caller, row.id, action, before, after, body.words, at)
    return await repository.find_report(session, row.id)


async def get(session: AsyncSession, caller: Caller, report_id: UUID) -> Any:
    """A report of the caller's division.

    Raises:
        ReportNotFound, WrongDivision: as named.
    """
    row = await repository.find_report(session, report_id)
    if row is None:
        raise ReportNotFound
    caller.ensure_covers(row.division_code)
    return row


async def history(session: AsyncSession, caller: Caller, report_id: UUID) -> Any:
    """What was done about it, newest first; raises as `get` does."""
    await get(session, caller, report_id)
    return await repository.list_history(session, report_id)


async def list_page(
    session: AsyncSession,
    caller: Caller,
    *,
    state: ReportState | None,
    after: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """Reports of the caller's division in the order they came.

    Raises:
        WrongDivision: the caller acts for no division.
    """
    if caller.division is None:
        raise WrongDivision
    rows = await repository.list_reports(
        session, within=caller.division, state=state, after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    return page, encode_cursor(page[-1].id) if more else None


async def _remember(
    session: AsyncSession,
    caller: Caller,
    report_id: UUID,
    action: str,
    before: ReportState | None,
    after: ReportState,
    words: str | None,
    at: datetime,
) -> None:
    await repository.add_history(
        session,
        id=new_id(),
        report_id=report_id,
        action=action,
        from_state=before,
        to_state=after,
        actor=str(caller.account_id),
        actor_name=caller.name,
        words=words,
        happened_at=at,
    )
