"""督办: issued by people or the clock, answered by the unit, passed up when nobody answers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import SupervisionAnswered, SupervisionOrdered
from contracts.values import TimeUnit
from servicekit import outbox
from servicekit.auth import Caller, WrongUnit
from servicekit.errors import Conflict, NotFound
from servicekit.identifiers import new_id
from servicekit.timers import cancel_timers, set_timer
from services.requests.cases import repository as cases
from services.requests.cases.effects import Effect, Moment
from services.requests.cases.rules import OPEN
from services.requests.cases.service import CaseNotFound
from services.requests.cases.system import moment_now
from services.requests.cases.transitions import event_of
from services.requests.clock.rules import end_of_day
from services.requests.clock.service import due_after
from services.requests.supervision import repository
from services.requests.supervision.schemas import OrderIssued, OrderWrite, ReplyWrite

REPLY_DUE = "supervision-reply-due"


class OrderNotFound(NotFound):
    code, title = "supervision-order-not-found", "没有找到这张督办单"


class OrderOpen(Conflict):
    code, title = "supervision-order-open", "这个办件已有同样的督办单在办"


class OrderAnswered(Conflict):
    code, title = "supervision-order-answered", "这张督办单已经回复"


class CaseOver(Conflict):
    code, title = "case-over", "办件已经办结，不需要督办"


async def order(
    session: AsyncSession, *, case_id: UUID, body: OrderWrite, caller: Caller
) -> OrderIssued:
    """A supervisor asks the unit of an open case to answer.

    Raises:
        CaseNotFound, WrongDivision, CaseOver, OrderOpen.
    """
    case = await cases.find_case(session, case_id, lock=True)
    if case is None:
        raise CaseNotFound
    caller.ensure_covers(case.division_code)
    if case.state not in OPEN:
        raise CaseOver
    issued = await issue(session, case, "manual", body.what, issued_by=caller.name)
    if issued is None:
        raise OrderOpen
    return issued


async def issue(
    session: AsyncSession, case: Any, cause: str, what: str, *, issued_by: str | None = None
) -> OrderIssued | None:
    """Issue an order with a day for the reply; None when one of the same cause is open."""
    moment = await moment_now(session, case.division_code)
    reply_by = _reply_by(moment, level=1)
    order_id = new_id()
    row = {
        "id": order_id,
        "case_id": case.id,
        "cause": cause,
        "unit_code": case.unit_code,
        "unit_name": case.unit_name,
        "division_code": case.division_code,
        "what": what,
        "issued_by": issued_by,
        "issued_at": moment.now,
        "reply_by": reply_by,
    }
    if not await repository.insert_order(session, row):
        return None
    await _tell(session, case, order_id, cause, 1, reply_by)
    return OrderIssued(id=order_id, reply_by=reply_by)


async def reply(session: AsyncSession, *, order_id: UUID, body: ReplyWrite, caller: Caller) -> None:
    """The unit says what it does about it.

    Raises:
        OrderNotFound, WrongUnit, OrderAnswered.

    Concurrency: locks the order.
    """
    found = await repository.find_order(session, order_id, lock=True)
    if found is None:
        raise OrderNotFound
    if found.unit_code is None or caller.unit != found.unit_code:
        raise WrongUnit
    if found.state == "answered":
        raise OrderAnswered
    now = datetime.now(UTC)
    is_late = found.level > 1 or found.state == "exhausted"
    await repository.change_order(
        session,
        order_id,
        state="answered",
        reply=body.reply,
        replied_by=caller.name,
        replied_at=now,
        is_late=is_late,
    )
    await cancel_timers(session, order_id, REPLY_DUE)
    case = await cases.find_case(session, found.case_id)
    fields = {"order_id": order_id, "level": found.level, "is_late": is_late}
    effect = Effect(event=SupervisionAnswered, event_fields=fields)
    assert case is not None
    await outbox.record(session, event_of(case, effect, {"version": case.version}, caller, now))


async def reply_due(session: AsyncSession, order_id: UUID) -> None:
    """Nobody answered in time: the order goes one level up, or has nowhere to go."""
    found = await repository.find_order(session, order_id, lock=True)
    if found is None or found.state != "open":
        return
    case = await cases.find_case(session, found.case_id)
    assert case is not None  # an order belongs to a case
    moment = await moment_now(session, case.division_code)
    if found.level >= len(moment.policy.reply_days):
        await repository.change_order(session, order_id, state="exhausted")
        return
    level = found.level + 1
    reply_by = _reply_by(moment, level=level)
    await repository.change_order(session, order_id, level=level, reply_by=reply_by)
    await _tell(session, case, order_id, found.cause, level, reply_by)


def _reply_by(moment: Moment, *, level: int) -> Any:
    days = moment.policy.reply_days[level - 1]
    return due_after(moment.calendar, moment.counts_on, days, TimeUnit.working_days)


async def _tell(
    session: AsyncSession, case: Any, order_id: UUID, cause: str, level: int, reply_by: Any
) -> None:
    fields = {"order_id": order_id, "cause": cause, "level": level, "reply_by": reply_by}
    effect = Effect(event=SupervisionOrdered, event_fields=fields)
    now = datetime.now(UTC)
    await outbox.record(session, event_of(case, effect, {"version": case.version}, None, now))
    if reply_by is not None:
        await set_timer(session, REPLY_DUE, order_id, end_of_day(reply_by))
