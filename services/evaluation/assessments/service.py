"""Assessment as it is defined, made, read and decided upon."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongRole, WrongUnit
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.paging import (
    CursorMalformed,
    Page,
    cut,
    decode_cursor,
    encode_cursor,
    id_cursor,
)
from services.evaluation.access import STATISTICIAN, SUPERVISOR
from services.evaluation.assessments import making, repository
from services.evaluation.assessments.rules import POLICY, UNRANKED, traces
from services.evaluation.assessments.schemas import (
    CardRead,
    Decision,
    Made,
    ProposalRead,
    SchemeCreate,
    SchemeRead,
)
from services.evaluation.calendar.rules import local_day
from services.evaluation.divisions import service as divisions
from services.evaluation.models import AssessedKind, ProposalState
from services.evaluation.settings import EvaluationSettings


class AssessmentCountsTraces(Invalid):
    code, title = "assessment-counts-traces", "考核不得计截图、视频、表格等留痕材料"


class IndicatorUnknown(Invalid):
    code, title = "indicator-unknown", "没有收到过这项设施指标"


class SchemeNotFound(NotFound):
    code, title = "scheme-not-found", "没有这个考核办法，或当月还不适用"


class SchemeOfOthers(Conflict):
    code, title = "scheme-of-others", "这个代码已被其他地区的考核办法使用"


class MonthNotOver(Conflict):
    code, title = "month-not-over", "这个月还没有过完，不能考核"


class CardNotFound(NotFound):
    code, title = "card-not-found", "没有这份成绩单"


class ProposalNotFound(NotFound):
    code, title = "proposal-not-found", "没有这条建议"


class ProposalDecided(Conflict):
    code, title = "proposal-decided", "这条建议已有决定"


async def define(session: AsyncSession, body: SchemeCreate, caller: Caller) -> SchemeRead:
    """Define a scheme, as the next version where there is one with its code.

    Raises:
        WrongDivision: it is that of a division outside the caller's.
        DivisionUnknown: there is no such division.
        AssessmentCountsTraces: it counts proofs of work; the words and the policy are told.
        IndicatorUnknown: facilities never told such an indicator.
        SchemeOfOthers: another division has a scheme with this code.
    """
    caller.ensure_covers(body.division_code)
    await divisions.ensure_known(session, body.division_code)
    for each in body.indicators:
        words = traces(each.code, each.title, each.counts, each.indicator_code or "")
        if words:
            raise AssessmentCountsTraces(POLICY, indicator=each.code, words=words, policy=POLICY)
    codes = {each.indicator_code for each in body.indicators if each.indicator_code}
    unknown = codes - await repository.known_indicators(session, sorted(codes))
    if unknown:
        raise IndicatorUnknown(indicators=sorted(unknown))
    newest = await repository.newest(session, body.code)
    if newest is not None and newest.division_code != body.division_code:
        raise SchemeOfOthers
    values: dict[str, Any] = {
        **body.model_dump(mode="json"),
        "id": new_id(),
        "version": newest.version + 1 if newest else 1,
        "valid_from": body.valid_from.replace(day=1),
        "created_at": now(),
    }
    await repository.insert_scheme(session, {**values, "created_by": caller.account_id})
    return SchemeRead(**values)


async def list_schemes(
    session: AsyncSession, within: str, *, after: str | None, limit: int
) -> Page[SchemeRead]:
    """Versions of schemes of a division, newest first."""
    rows = await repository.schemes(session, within, before=id_cursor(after), limit=limit + 1)
    page, more = cut(list(rows), limit)
    return Page(
        items=[SchemeRead(**row._mapping) for row in page],
        next=encode_cursor(page[-1].id) if more else None,
    )


async def make(
    session: AsyncSession, code: str, month: date, caller: Caller, settings: EvaluationSettings
) -> Made:
    """Make a month's cards anew; what was decided stays.

    Raises:
        SchemeNotFound: there is none that the month goes by.
        WrongDivision: it is not the caller's.
        MonthNotOver: more may still be counted.
    """
    month = month.replace(day=1)
    scheme = await _scheme(session, code, month)
    caller.ensure_covers(scheme.division_code)
    if month >= local_day(now()).replace(day=1):
        raise MonthNotOver
    return await making.make(session, scheme, month, settings)


async def make_due(session: AsyncSession, month: date, settings: EvaluationSettings) -> int:
    """Make the cards of a month for every scheme that has none; return how many schemes."""
    codes = await repository.due(session, month)
    made = 0
    for code in codes:
        scheme = await repository.in_force(session, code, month)
        if scheme is not None:
            made += (await making.make(session, scheme, month, settings)).cards > 0
    return made


async def list_cards(
    session: AsyncSession,
    code: str,
    month: date,
    caller: Caller,
    *,
    after: str | None,
    limit: int,
) -> Page[CardRead]:
    """The ranking of a month.

    Raises:
        SchemeNotFound: there is none that the month goes by.
        WrongDivision: it is not the caller's.
    """
    month = month.replace(day=1)
    caller.ensure_covers((await _scheme(session, code, month)).division_code)
    rows = await repository.cards(session, code, month, after=_position(after), limit=limit + 1)
    page, more = cut(list(rows), limit)
    return Page(
        items=[_read(row) for row in page],
        next=encode_cursor(page[-1].place, page[-1].subject_id) if more else None,
    )


def _position(after: str | None) -> tuple[int, str] | None:
    if after is None:
        return None
    place, subject_id = decode_cursor(after, 2)
    fits = type(place) is int and 0 <= place <= UNRANKED and isinstance(subject_id, str)
    if not fits or "\x00" in subject_id:
        raise CursorMalformed
    return place, subject_id


async def get_card(
    session: AsyncSession, code: str, month: date, subject_id: str, caller: Caller
) -> CardRead:
    """One card: for those in charge, and for those it is about.

    Raises:
        SchemeNotFound, CardNotFound: there is none.
        WrongRole, WrongDivision, WrongUnit: it is not the caller's to see.
    """
    month = month.replace(day=1)
    scheme = await _scheme(session, code, month)
    if caller.has(SUPERVISOR, STATISTICIAN):
        caller.ensure_covers(scheme.division_code)
    elif scheme.assessed == AssessedKind.unit:
        if caller.unit != subject_id:
            raise WrongUnit
    elif caller.is_resident:
        raise WrongRole
    else:
        caller.ensure_covers(subject_id)
    row = await repository.card(session, code, month, subject_id)
    if row is None:
        raise CardNotFound
    return _read(row)


def _read(row: Any) -> CardRead:
    place = None if row.place == UNRANKED else row.place
    return CardRead(**{**row._mapping, "place": place})


async def _scheme(session: AsyncSession, code: str, month: date) -> Any:
    scheme = await repository.in_force(session, code, month)
    if scheme is None:
        raise SchemeNotFound
    return scheme


async def list_proposals(
    session: AsyncSession,
    within: str,
    state: ProposalState | None,
    caller: Caller,
    *,
    after: str | None,
    limit: int,
) -> Page[ProposalRead]:
    """Proposals of a division, newest first.

    Raises:
        WrongDivision: it lies outside the caller's.
    """
    caller.ensure_covers(within)
    rows = await repository.proposals(
        session,
        within,
        state.value if state else None,
        before=id_cursor(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    return Page(
        items=[ProposalRead(**row._mapping) for row in page],
        next=encode_cursor(page[-1].id) if more else None,
    )


async def decide(
    session: AsyncSession, proposal_id: UUID, body: Decision, caller: Caller, *, version: int
) -> ProposalRead:
    """Confirm or dismiss a proposal, with the reason.

    Raises:
        ProposalNotFound: there is none.
        WrongDivision: it is not the caller's.
        StaleVersion: somebody was quicker.
        ProposalDecided: it has been decided.
    """
    row = await repository.lock_proposal(session, proposal_id)
    if row is None:
        raise ProposalNotFound
    caller.ensure_covers(row.division_code)
    if row.version != version:
        raise StaleVersion
    if row.state != ProposalState.proposed:
        raise ProposalDecided
    changes = {
        "state": body.state,
        "reason": body.reason,
        "version": version + 1,
        "decided_by": caller.account_id,
        "decided_at": now(),
    }
    await repository.change_proposal(session, proposal_id, changes)
    return ProposalRead(**{**row._mapping, **changes})
