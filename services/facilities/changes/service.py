"""Changes of divisions: recorded whole, with everything that follows from them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_level
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid
from servicekit.identifiers import new_id
from services.facilities.attempts import Attempt
from services.facilities.changes import repository
from services.facilities.changes.rules import ChangeFault, Known, change_faults, parent_of
from services.facilities.changes.schemas import ChangeRecorded, ChangeWrite, DivisionAfter
from services.facilities.divisions import service as divisions
from services.facilities.divisions.rules import DivisionRow, numbering_warnings
from services.facilities.facilities import service as facilities
from services.facilities.hours.rules import LOCAL
from services.facilities.indicators import service as indicators
from services.facilities.metrics import DIVISION_CHANGES

#: No rule looks at these fields: the others are held against each other all the same.
_UNCHECKED = frozenset({"ordered_by"})


class ChangeInvalid(Invalid):
    code, title = "division-change-invalid", "区划变更有误，请按提示修改"


class PlacesCollide(Conflict):
    code, title = "facilities-collide", "合并后会有同名的设施，请先改名"


class DivisionCodeTaken(Conflict):
    code, title = "division-code-taken", "他人刚刚用这个代码设立了区划，请刷新后再试"


async def record(
    session: AsyncSession, caller: Caller, attempt: Attempt[ChangeWrite]
) -> ChangeRecorded:
    """Record a change of divisions: close, add and rename what it says, and tell of it.

    Where one division takes everything over, the facilities go with it. Concurrency: locks the
    divisions, so that of two changes of one division the second finds it closed.

    Raises:
        WrongDivision: a division lies outside the caller's subtree.
        Invalid: fields are not as they should be.
        ChangeInvalid: the change contradicts itself or the tree; every fault is named.
        PlacesCollide: two places would have one name in one division.
    """
    body = attempt.body if attempt.unread <= _UNCHECKED else attempt.whole()
    after_codes = [entry.code for entry in body.after]
    for code in {*body.before, *after_codes}:
        caller.ensure_covers(code)
    parents = {entry.parent_code or parent_of(entry.code) for entry in body.after}
    codes = sorted({*body.before, *after_codes, *(code for code in parents if code)})
    rows = {row.code: row for row in await repository.lock_divisions(session, codes)}
    await _ensure_valid(session, attempt, rows)
    added = [entry for entry in body.after if entry.code not in rows]
    change_id = await _write(session, caller, body, rows, added)
    closed = [code for code in body.before if code not in after_codes]
    moved = await _move_facilities(session, caller, body, closed)
    concerned = sorted({*body.before, *after_codes})
    stand = await repository.list_rows(session, concerned)
    await outbox.record(session, *(divisions.recorded(row) for row in stand if row.is_published))
    await indicators.refresh(session, concerned)
    DIVISION_CHANGES.labels(body.kind).inc()
    changes = await divisions.list_changes(session, concerned[0])
    change = next(change for change in changes if change.id == change_id)
    return ChangeRecorded(
        **change.model_dump(),
        moved_facilities=moved,
        facilities_to_assign=len(await repository.facilities_in(session, closed)),
        warnings=_warnings(stand, added),
    )


async def _ensure_valid(
    session: AsyncSession, attempt: Attempt[ChangeWrite], rows: dict[str, Any]
) -> None:
    body = attempt.body
    parents = await repository.with_children(session, body.before)
    known = {
        code: Known(row.name, row.parent_code, row.is_in_force, row.valid_from, code in parents)
        for code, row in rows.items()
    }
    found = change_faults(
        body.kind,
        body.before,
        body.after,
        known,
        effective_on=body.effective_on,
        today=outbox.now().astimezone(LOCAL).date(),
    )
    latest = await repository.latest_effect(session, body.before)
    if latest is not None and body.effective_on < latest:
        found.append(
            ChangeFault("/effective_on", f"这些区划在 {latest} 已有较晚的变更", "too-early")
        )
    attempt.ensure_faultless(
        (
            {"path": fault.path, "in": "body", "message": fault.message, "type": fault.type}
            for fault in found
        ),
        ChangeInvalid,
    )


async def _write(
    session: AsyncSession,
    caller: Caller,
    body: ChangeWrite,
    rows: dict[str, Any],
    added: Sequence[DivisionAfter],
) -> UUID:
    now = outbox.now()
    kept = {entry.code: entry for entry in body.after}
    for code in body.before:
        if code not in kept:
            until = body.effective_on - timedelta(days=1)
            await repository.change_division(
                session, code, {"valid_until": until, "recorded_at": now}
            )
    for code, entry in kept.items():
        if code in rows and entry.name not in (None, rows[code].name):
            values = {"name": entry.name, "source": body.ordered_by, "recorded_at": now}
            await repository.change_division(session, code, values)
    await repository.add_divisions(session, [_new_row(entry, body, rows, now) for entry in added])
    change_id = new_id()
    values = body.model_dump(include={"kind", "effective_on", "ordered_by"}) | {
        "id": change_id,
        "recorded_by": caller.account_id,
        "recorded_by_name": caller.name,
        "recorded_at": now,
    }
    sides = [("before", code, rows[code].name) for code in body.before] + [
        ("after", entry.code, entry.name or rows[entry.code].name) for entry in body.after
    ]
    parts = [
        {"change_id": change_id, "side": side, "code": code, "name": name}
        for side, code, name in sides
    ]
    await repository.add_change(session, values, parts)
    return change_id


def _new_row(
    entry: DivisionAfter, body: ChangeWrite, rows: dict[str, Any], now: Any
) -> dict[str, Any]:
    parent = entry.parent_code or parent_of(entry.code)
    return {
        "code": entry.code,
        "name": entry.name,
        "level": division_level(entry.code),
        "parent_code": parent,
        "community_kind": entry.community_kind,
        "valid_from": body.effective_on,
        "source": body.ordered_by,
        "is_published": rows[parent].is_published if parent else True,
        "version": 1,
        "recorded_at": now,
    }


async def _move_facilities(
    session: AsyncSession, caller: Caller, body: ChangeWrite, closed: Sequence[str]
) -> int:
    """Take the facilities of closed divisions into the one that takes over."""
    if not closed or len(body.after) != 1:
        return 0
    into = body.after[0].code
    collisions = await repository.colliding_names(session, closed, into)
    if collisions:
        raise PlacesCollide(names=collisions)
    places = await repository.facilities_in(session, closed)
    for facility_id in places:
        row = await facilities.lock_row(session, facility_id)
        await facilities.update(
            session, caller, row, {"division_code": into}, action="follow-division",
            note=body.ordered_by,
        )  # fmt: skip
    return len(places)


def _warnings(stand: Sequence[Any], added: Sequence[DivisionAfter]) -> list[str]:
    new = {entry.code for entry in added}
    return [
        warning
        for row in stand
        if row.code in new
        for warning in numbering_warnings(
            DivisionRow(row.code, row.name, row.level, row.parent_code, row.community_kind)
        )
    ]
