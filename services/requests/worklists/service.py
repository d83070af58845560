"""Whose work is on a list, how much waits, and one step for many cases."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from servicekit.auth import Caller, WrongUnit
from servicekit.errors import Invalid, ServiceError
from servicekit.personal_data import Cipher
from servicekit.wording import in_chinese
from services.requests.cases.bodies import BODIES
from services.requests.cases.service import act
from services.requests.clock.policies import light_of
from services.requests.clock.rules import LOCAL
from services.requests.models import Light
from services.requests.models import ServiceCase as C
from services.requests.reference.service import Reference
from services.requests.settings import RequestsSettings
from services.requests.worklists import repository
from services.requests.worklists.schemas import (
    BULK_ACTIONS,
    BulkOutcome,
    BulkResult,
    BulkWrite,
    Counts,
    WaitingFollowUp,
    WorkListFilter,
)

#: Roles that work by division; the others work by unit.
BY_DIVISION = ("window-clerk", "supervisor", "auditor")


class NotInBulk(Invalid):
    code, title = "not-in-bulk", "这一步不能批量办理"


class BulkBodyInvalid(Invalid):
    code, title = "invalid-request", "填写的内容有误，请按提示修改"


def works_by_division(caller: Caller) -> bool:
    """Whether a caller's list is that of a division.

    Raises:
        WrongUnit: neither a division nor a unit is known.
    """
    if caller.has(*BY_DIVISION) and caller.division is not None:
        return True
    if caller.unit is None:
        raise WrongUnit
    return False


async def list_work(
    session: AsyncSession,
    chosen: WorkListFilter,
    *,
    caller: Caller,
    after: tuple[date | None, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Open cases of the caller's unit or division that the filter lets through.

    Raises:
        WrongUnit, WrongDivision: the filter asks for what the caller does not work on.
    """
    conditions = [*_scope(chosen, caller), *_chosen(chosen, caller)]
    return await repository.list_open(session, conditions, after=after, limit=limit)


def _scope(chosen: WorkListFilter, caller: Caller) -> list[ColumnElement[bool]]:
    if chosen.wanted == "opinion":
        if caller.unit is None:
            raise WrongUnit
        return [repository.asked_of(caller.unit)]
    if not works_by_division(caller):
        assert caller.unit is not None
        if chosen.unit not in (None, caller.unit):
            raise WrongUnit
        return [col(C.unit_code) == caller.unit]
    assert caller.division is not None
    inside = chosen.division or caller.division
    caller.ensure_covers(inside)
    unit = [col(C.unit_code) == chosen.unit] if chosen.unit else []
    return [*unit, *repository.within(inside)]


async def list_follow_ups(
    session: AsyncSession,
    reference: Reference,
    *,
    caller: Caller,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[WaitingFollowUp]:
    """What was promised at acceptance and is awaited, of the caller's unit or division, by day.

    Raises:
        WrongUnit.
    """
    today = datetime.now(LOCAL).date()
    rows = await repository.list_waiting(
        session, _scope(WorkListFilter(), caller), after=after, limit=limit
    )
    return [
        WaitingFollowUp.model_validate({**row._mapping, "light": _light(reference, row, today)})
        for row in rows
    ]


def _light(reference: Reference, row: Any, today: date) -> Light:
    calendar = reference.calendars.of(row.division_code)
    return light_of(calendar, reference.policies.of(row.division_code), row.due_on, today)


def _chosen(chosen: WorkListFilter, caller: Caller) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.state:
        conditions.append(col(C.state) == chosen.state)
    if chosen.light:
        conditions.append(col(C.light) == chosen.light)
    if chosen.role:
        conditions.append(repository.turn_of(chosen.role))
    if chosen.holder == "nobody":
        conditions.append(col(C.assignee_id).is_(None))
    elif chosen.holder is not None:
        holder = caller.account_id if chosen.holder == "me" else chosen.holder
        conditions.append(col(C.assignee_id) == holder)
    if chosen.due_from:
        conditions.append(col(C.due_on) >= chosen.due_from)
    if chosen.due_to:
        conditions.append(col(C.due_on) <= chosen.due_to)
    return conditions


async def count_work(session: AsyncSession, caller: Caller) -> Counts:
    """Open cases of the caller's unit or division by light and state.

    Raises:
        WrongUnit.
    """
    if works_by_division(caller):
        assert caller.division is not None
        rows = await repository.count_within(session, caller.division)
    else:
        assert caller.unit is not None
        rows = await repository.count_of_unit(session, caller.unit)
    lights: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for row in rows:
        lights[row.light] += row.cases
        states[row.state] += row.cases
    return Counts(
        total=sum(states.values()),
        by_light={light: lights[light] for light in Light},
        by_state=dict(sorted(states.items())),
    )


async def act_on_many(
    session: AsyncSession,
    reference: Reference,
    settings: RequestsSettings,
    cipher: Cipher,
    *,
    body: BulkWrite,
    caller: Caller,
) -> BulkResult:
    """One step for many cases, each for itself: what fails leaves nothing behind.

    Raises:
        NotInBulk, BulkBodyInvalid: nothing is done.

    Concurrency: rows are locked in the order of their ids, so that two of these never wait for
    each other.
    """
    if body.action not in BULK_ACTIONS:
        raise NotInBulk
    try:
        step = BODIES[body.action].model_validate(body.body)
    except ValidationError as error:
        raise BulkBodyInvalid(
            errors=[
                {"path": "/body/" + "/".join(map(str, each["loc"])), "message": in_chinese(each)}
                for each in error.errors()
            ]
        ) from error
    outcomes: dict[UUID, BulkOutcome] = {}
    for each in sorted(body.cases, key=lambda case: case.id):
        try:
            async with session.begin_nested():
                version = await act(
                    session,
                    reference,
                    settings,
                    cipher,
                    case_id=each.id,
                    expected_version=each.version,
                    caller=caller,
                    action=body.action,
                    body=step,
                )
            outcomes[each.id] = BulkOutcome(id=each.id, status=200, version=version)
        except ServiceError as error:
            outcomes.setdefault(
                each.id,
                BulkOutcome(id=each.id, status=error.status, code=error.code, title=error.title),
            )
    listed = [outcomes[case_id] for case_id in dict.fromkeys(case.id for case in body.cases)]
    return BulkResult(succeeded=sum(one.status == 200 for one in listed), outcomes=listed)
