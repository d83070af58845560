"""Counters of a facility; each change is a new version of the facility, with its history."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_covers
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from services.facilities.attempts import Attempt
from services.facilities.counters import repository
from services.facilities.counters.schemas import CounterItemRead, CounterRead, CounterWrite
from services.facilities.facilities import service as facilities
from services.facilities.items import service as items


class CounterNotFound(NotFound):
    code, title = "counter-not-found", "这处设施没有这个窗口"


class CounterNameTaken(Conflict):
    code, title = "counter-name-taken", "这处设施已有同名的窗口"


class CounterInvalid(Invalid):
    code, title = "counter-invalid", "窗口信息有误，请按提示修改"


async def list_counters(session: AsyncSession, facility_id: UUID) -> list[CounterRead]:
    """The counters of a facility with what they take.

    Raises:
        FacilityNotFound: there is none.
    """
    await facilities.find_row(session, facility_id)
    offers = await repository.list_offers(session, facility_id)
    return [
        CounterRead(
            id=row.id,
            name=row.name,
            is_open=row.is_open,
            weekly_hours=row.weekly_hours,
            items=[
                CounterItemRead.model_validate(dict(offer._mapping))
                for offer in offers
                if offer.counter_id == row.id
            ],
        )
        for row in await repository.list_counters(session, facility_id)
    ]


async def add(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    attempt: Attempt[CounterWrite],
    *,
    expected: int,
) -> tuple[CounterRead, int]:
    """Record a counter; returns it and the facility's new version.

    Raises:
        FacilityNotFound: there is no such facility.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
        Invalid: fields are not as they should be.
        CounterInvalid: an item that is unknown, retired, or not offered there.
        CounterNameTaken: there is one of that name.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    body = await _valid(session, row, attempt, counter_id=None)
    counter_id = new_id()
    await repository.add(
        session, _values(row, body) | {"id": counter_id, "facility_id": facility_id}
    )
    return await _written(session, caller, row, counter_id, body, action="add-counter")


async def change(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    counter_id: UUID,
    attempt: Attempt[CounterWrite],
    *,
    expected: int,
) -> tuple[CounterRead, int]:
    """Write over a counter; returns it and the facility's new version.

    Raises:
        FacilityNotFound, CounterNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
        Invalid: fields are not as they should be.
        CounterInvalid: an item that is unknown, retired, or not offered there.
        CounterNameTaken: there is one of that name.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    await _find(session, facility_id, counter_id)
    body = await _valid(session, row, attempt, counter_id=counter_id)
    await repository.change(session, counter_id, _values(row, body))
    return await _written(session, caller, row, counter_id, body, action="change-counter")


async def remove(
    session: AsyncSession, caller: Caller, facility_id: UUID, counter_id: UUID, *, expected: int
) -> int:
    """Forget a counter; returns the facility's new version.

    Raises:
        FacilityNotFound, CounterNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version of the facility than the one the caller has read.
    """
    row = await facilities.lock(session, caller, facility_id, expected=expected)
    counter = await _find(session, facility_id, counter_id)
    await repository.remove(session, counter_id)
    changed = await facilities.update(
        session, caller, row, {}, action="remove-counter", note=counter.name
    )
    return changed.version


async def _written(
    session: AsyncSession,
    caller: Caller,
    facility: Any,
    counter_id: UUID,
    body: CounterWrite,
    *,
    action: str,
) -> tuple[CounterRead, int]:
    await repository.set_offers(session, facility.id, counter_id, body.items)
    changed = await facilities.update(session, caller, facility, {}, action=action, note=body.name)
    return await _find(session, facility.id, counter_id), changed.version


async def _valid(
    session: AsyncSession,
    facility: Any,
    attempt: Attempt[CounterWrite],
    *,
    counter_id: UUID | None,
) -> CounterWrite:
    """The body of a request, when nothing is wrong with it."""
    body = attempt.body
    listed = [] if "items" in attempt.unread else body.items
    known = await items.find_all(session, listed)
    errors = []
    for index, item_id in enumerate(listed):
        item = known.get(item_id)
        if item is None or item.status == "retired":
            errors.append(_error(index, "事项目录里没有这个事项，或它已取消", "item-unknown"))
        elif not division_covers(item.division_code, facility.division_code):
            errors.append(_error(index, f"“{item.name}”不在本设施所属区划办理", "item-elsewhere"))
    attempt.ensure_faultless(errors, CounterInvalid)
    rows = await repository.list_counters(session, facility.id)
    if any(row.name == body.name and row.id != counter_id for row in rows):
        raise CounterNameTaken
    return body


def _error(index: int, message: str, kind: str) -> dict[str, str]:
    return {"path": f"/items/{index}", "in": "body", "message": message, "type": kind}


async def _find(session: AsyncSession, facility_id: UUID, counter_id: UUID) -> CounterRead:
    for counter in await list_counters(session, facility_id):
        if counter.id == counter_id:
            return counter
    raise CounterNotFound


def _values(facility: Any, body: CounterWrite) -> dict[str, Any]:
    return body.model_dump(exclude={"items"}) | {
        "version": facility.version + 1,
        "recorded_at": outbox.now(),
    }
