"""Use cases of proposals: draw them from figures and lists, and decide them."""

from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import UnmetNeedsListed
from contracts.requests import RequestSubmitted
from contracts.values import DivisionLevel, division_at
from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Conflict, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.paging import cut, encode_cursor, id_cursor
from servicekit.timers import set_timer
from services.catalogue.admissions import service as admissions
from services.catalogue.items.publishing import CHINA
from services.catalogue.models import ProposalKind, ProposalState
from services.catalogue.proposals import repository, rules
from services.catalogue.proposals.rules import Figures

ProposalAction = Literal["accept", "dismiss"]


class ProposalNotFound(NotFound):
    code, title = "proposal-not-found", "没有找到这条建议"


class ProposalDecided(Conflict):
    code, title = "proposal-decided", "这条建议已经处理"


async def appraise(session: AsyncSession, admission_id: UUID) -> None:
    """Timer: look at the figures of an admission, propose its end or take the proposal back.

    Concurrency: locks the admission.
    """
    row = await admissions.lock_admitted(session, admission_id)
    if row is None:
        return
    at = now()
    today = at.astimezone(CHINA).date()
    found = rules.grounds(await _figures(session, row, today), today)
    key = {
        "division_code": row.division_code,
        "kind": ProposalKind.end_admission,
        "subject": str(row.id),
    }
    if found:
        await repository.put_open(
            session,
            id=new_id(),
            **key,
            name=row.name,
            admission_id=row.id,
            source=today.isoformat(),
            grounds=found,
        )
    else:
        await repository.drop_open(session, **key)
    following = at + timedelta(days=admissions.APPRAISE_DAYS)
    await set_timer(session, admissions.APPRAISE_TIMER, row.id, following)


async def _figures(session: AsyncSession, row: Any, today: date) -> Figures:
    cases, score = None, None
    if row.item_id is not None:
        since = today - timedelta(days=rules.UNUSED_DAYS)
        cases = await admissions.count_cases(session, row.item_id, row.division_code, since)
        score = await repository.find_score(session, row.item_id)
    return Figures(
        valid_from=row.valid_from,
        basis_until=_day(row.content["basis"].get("until")),
        funds_until=_day(row.content.get("funds", {}).get("until")),
        review_on=row.review_on,
        cases=cases,
        rated=score.rated if score else 0,
        satisfaction_ratio=score.satisfaction_ratio if score else None,
    )


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


async def count_use(session: AsyncSession, event: RequestSubmitted) -> None:
    """Count the cases of a submission by item, county and month."""
    try:
        county = division_at(event.division_code, DivisionLevel.county)
    except ValueError:
        county = event.division_code
    month = event.occurred_at.astimezone(CHINA).date().replace(day=1)
    # In one order, so that two submissions never wait for each other in a ring.
    for item_id in sorted({case.item_id for case in event.cases}):
        cases = sum(case.item_id == item_id for case in event.cases)
        await repository.count_use(
            session, item_id=item_id, division_code=county, month=month, cases=cases
        )


async def offer_what_is_missed(session: AsyncSession, event: UnmetNeedsListed) -> None:
    """Propose to offer what residents asked for and did not find; each list proposes once."""
    topics: dict[str, list[dict[str, Any]]] = {}
    for need in event.needs:
        if need.kind != "facility":
            topics.setdefault(need.topic, []).append(
                {"ground": "unmet-need", "month": event.month, **need.model_dump(mode="json")}
            )
    for topic, grounds in sorted(topics.items()):
        key = {
            "division_code": event.division_code,
            "kind": ProposalKind.offer_item,
            "subject": topic,
            # Newer months sort after older ones: an old list never overwrites a newer one.
            "source": f"{event.month.isoformat()}:{event.list_id}",
        }
        if not await repository.is_known(session, **key):
            await repository.put_open(session, id=new_id(), **key, name=topic, grounds=grounds)


async def list_page(
    session: AsyncSession,
    caller: Caller,
    *,
    kind: ProposalKind | None,
    state: ProposalState | None,
    after: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """Proposals made to the caller's division, in the order they were made.

    Raises:
        WrongDivision: the caller acts for no division.
    """
    if caller.division is None:
        raise WrongDivision
    rows = await repository.list_page(
        session,
        within=caller.division,
        kind=kind,
        state=state,
        after=id_cursor(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    return page, encode_cursor(page[-1].id) if more else None


async def decide(
    session: AsyncSession,
    caller: Caller,
    proposal_id: UUID,
    *,
    action: ProposalAction,
    expected: int,
    reason: str,
) -> Any:
    """Accept or dismiss; an accepted end ends the admission in the same step.

    Raises:
        ProposalNotFound, WrongDivision, StaleVersion: as for every change.
        ProposalDecided: somebody has decided it.

    Concurrency: locks the admission before the proposal, as appraisal does.
    """
    known = await repository.find(session, proposal_id)
    if known is None:
        raise ProposalNotFound
    caller.ensure_covers(known.division_code)
    accepted = action == "accept"
    if known.admission_id is not None:
        await admissions.lock_admitted(session, known.admission_id)
    row = await repository.lock(session, proposal_id)
    if row is None:
        raise ProposalNotFound
    if row.version != expected:
        raise StaleVersion
    if row.state != ProposalState.open:
        raise ProposalDecided
    if accepted and row.admission_id is not None:
        await admissions.end_by_proposal(session, caller, row.admission_id, reason)
    await repository.decide(
        session,
        row.id,
        state=ProposalState.accepted if accepted else ProposalState.dismissed,
        version=row.version + 1,
        decided_by=str(caller.account_id),
        decided_by_name=caller.name,
        reason=reason,
        decided_at=now(),
    )
    return await repository.find(session, row.id)
