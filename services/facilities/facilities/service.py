"""Facilities: recorded, changed and moved through their life, each change with history and event."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.paging import Page, cut, encode_cursor
from services.facilities.attempts import Attempt
from services.facilities.divisions import service as divisions
from services.facilities.facilities import checks, repository
from services.facilities.facilities.records import (
    columns_of,
    event_of,
    fields_of,
    read_of,
    snapshot_of,
)
from services.facilities.facilities.repository import FacilityFilter
from services.facilities.facilities.rules import (
    NEEDS_REASON,
    next_state,
    possible_actions,
)
from services.facilities.facilities.schemas import (
    FacilityCreate,
    FacilityEntry,
    FacilityRead,
    FacilityTransition,
    FacilityUpdate,
    FacilityVersion,
)
from services.facilities.hours.changed import note_place
from services.facilities.hours.rules import LOCAL
from services.facilities.indicators import service as indicators
from services.facilities.metrics import FACILITY_CHANGES
from services.facilities.models import FacilityState


class FacilityNotFound(NotFound):
    code, title = "facility-not-found", "没有这个设施"


class FacilityNameTaken(Conflict):
    code, title = "facility-name-taken", "这个区划内已有同名设施"


class ActionImpossible(Conflict):
    code, title = "action-impossible", "设施目前的状态不能这样操作"


class ReasonMissing(Invalid):
    code, title = "reason-missing", "停用和维修须写明原因"


async def create(
    session: AsyncSession, caller: Caller, attempt: Attempt[FacilityCreate]
) -> FacilityRead:
    """Record a facility.

    Raises:
        WrongDivision: it lies outside the caller's subtree.
        Invalid: fields are not as they should be.
        FacilityInvalid: fields contradict each other, or name a type or division unknown here.
    """
    body = attempt.body
    if "division_code" not in attempt.unread:
        caller.ensure_covers(body.division_code)
    await checks.ensure_valid(session, attempt, body, facility_id=None)
    facility_id = new_id()
    values = columns_of(body) | {
        "id": facility_id,
        "version": 1,
        "state": body.state,
        "recorded_at": outbox.now(),
    }
    await repository.add(session, values)
    await indicators.refresh_around(session, facility_id)
    return await _written(session, caller, facility_id, action="record", from_state=None)


async def change(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    attempt: Attempt[FacilityUpdate],
    *,
    expected: int,
) -> FacilityRead:
    """Change what is recorded of a facility; changes that alter nothing leave no trace.

    Concurrency: locks the facility.

    Raises:
        FacilityNotFound: there is none.
        WrongDivision: it lies, or would come to lie, outside the caller's subtree.
        StaleVersion: another version than the one the caller has read.
        Invalid: fields are not as they should be.
        FacilityInvalid: fields contradict each other, or name a type or division unknown here.
    """
    row = await lock(session, caller, facility_id, expected=expected)
    current = fields_of(row)
    wanted = attempt.body.over(current)
    if wanted == current and not attempt.faults:
        return await get(session, facility_id)
    caller.ensure_covers(wanted.division_code)
    await checks.ensure_valid(session, attempt, wanted, facility_id=facility_id)
    return await update(session, caller, row, columns_of(wanted), action="change")


async def move(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    body: FacilityTransition,
    *,
    expected: int,
) -> FacilityRead:
    """Take a facility a step through its life.

    Raises:
        FacilityNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version than the one the caller has read.
        ReasonMissing: residents will find the door closed, and are not told why.
        ActionImpossible: not in its present state.
    """
    if body.action in NEEDS_REASON and not body.note:
        raise ReasonMissing
    row = await lock(session, caller, facility_id, expected=expected)
    state = next_state(FacilityState(row.state), body.action)
    if state is None:
        raise ActionImpossible(possible=possible_actions(FacilityState(row.state)))
    return await update(session, caller, row, {"state": state}, action=body.action, note=body.note)


async def lock(session: AsyncSession, caller: Caller, facility_id: UUID, *, expected: int) -> Any:
    """The row of a facility, held against other changes until the transaction ends.

    Raises:
        FacilityNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
        StaleVersion: another version than the one the caller has read.
    """
    row = await lock_row(session, facility_id)
    caller.ensure_covers(row.division_code)
    if row.version != expected:
        raise StaleVersion
    return row


async def lock_row(session: AsyncSession, facility_id: UUID) -> Any:
    """The row of a facility, held against other changes, for what follows from another change.

    Raises:
        FacilityNotFound: there is none.
    """
    row = await repository.find(session, facility_id, lock=True)
    if row is None:
        raise FacilityNotFound
    return row


async def update(
    session: AsyncSession,
    caller: Caller,
    row: Any,
    values: dict[str, Any],
    *,
    action: str,
    note: str | None = None,
) -> FacilityRead:
    """Write the next version of a locked facility, with its history and its event."""
    await repository.change(
        session, row.id, values | {"version": row.version + 1, "recorded_at": outbox.now()}
    )
    await indicators.refresh_around(session, row.id, row.division_code)
    await note_place(session, row.id)
    return await _written(session, caller, row.id, action=action, from_state=row.state, note=note)


async def get(session: AsyncSession, facility_id: UUID) -> FacilityRead:
    """One facility.

    Raises:
        FacilityNotFound: there is none.
    """
    row = await find_row(session, facility_id)
    paths = await divisions.path_names(session, [row.division_code])
    return read_of(row, paths[row.division_code], outbox.now().astimezone(LOCAL).date())


async def find_row(session: AsyncSession, facility_id: UUID) -> Any:
    """The row of a facility.

    Raises:
        FacilityNotFound: there is none.
    """
    row = await repository.find(session, facility_id)
    if row is None:
        raise FacilityNotFound
    return row


async def why_not_open(session: AsyncSession, row: Any) -> str | None:
    """What was written down when a facility was taken out of operation; None: nothing, or it is open."""
    if row.state == FacilityState.open:
        return None
    return await repository.note_of_state(session, row.id, row.state)


async def list_facilities(
    session: AsyncSession, wanted: FacilityFilter, *, after: tuple[str, UUID] | None, limit: int
) -> Page[FacilityEntry]:
    """Facilities by division."""
    rows = await repository.list_facilities(session, wanted, after=after, limit=limit + 1)
    page, more = cut(list(rows), limit)
    paths = await divisions.path_names(session, sorted({row.division_code for row in page}))
    entries = [
        FacilityEntry.model_validate({**row._mapping, "division_path": paths[row.division_code]})
        for row in page
    ]
    last = entries[-1] if more else None
    return Page(items=entries, next=encode_cursor(last.division_code, last.id) if last else None)


async def list_history(
    session: AsyncSession, caller: Caller, facility_id: UUID, *, before: int | None, limit: int
) -> Page[FacilityVersion]:
    """What happened to a facility, newest first.

    Raises:
        FacilityNotFound: there is none.
        WrongDivision: it lies outside the caller's subtree.
    """
    row = await find_row(session, facility_id)
    caller.ensure_covers(row.division_code)
    rows = await repository.list_history(session, facility_id, before=before, limit=limit + 1)
    page, more = cut(list(rows), limit)
    versions = [FacilityVersion.model_validate(dict(row._mapping)) for row in page]
    return Page(items=versions, next=encode_cursor(versions[-1].version) if more else None)


async def _written(
    session: AsyncSession,
    caller: Caller,
    facility_id: UUID,
    *,
    action: str,
    from_state: str | None,
    note: str | None = None,
) -> FacilityRead:
    """Add history and event of what was just written."""
    row = await find_row(session, facility_id)
    await repository.append_history(
        session,
        {
            "facility_id": row.id,
            "version": row.version,
            "action": action,
            "from_state": from_state,
            "to_state": row.state,
            "snapshot": snapshot_of(row),
            "note": note,
            "actor_id": caller.account_id,
            "actor_name": caller.name,
            "happened_at": row.recorded_at,
        },
    )
    await outbox.record(session, event_of(row))
    FACILITY_CHANGES.labels(action).inc()
    return await get(session, facility_id)
