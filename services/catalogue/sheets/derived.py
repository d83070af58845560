"""What a national file says of an item besides, and what follows of it from the rest.

Its flags repeat what other columns say, its state is the item's and not the text's: both go out as
they stand, and what comes in is held against the row. Source: NOT NULL and flag columns of the
national exchange tables `up_task_general_basic` and `_extend`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from servicekit.imports import Problem, Row
from services.catalogue.codes.tables import label
from services.catalogue.models import Status
from services.catalogue.sheets import cells
from services.catalogue.sheets.columns import Column, Layout

#: Channels and forms of handling that are online.
_ONLINE = ("portal", "mini-program", "provincial-platform", "computer", "mobile")
#: An item that no state was told of is in use.
IN_USE = Status.published


def facts(content: Mapping[str, Any]) -> dict[str, bool]:
    """The flags of an item by what it says."""
    elements: Mapping[str, Any] = content.get("elements") or {}
    places: Any = elements.get("places") or [{}]
    channels = {*(content.get("channels") or ()), *(elements.get("handling_forms") or ())}
    return {
        "is_online": bool(elements.get("online")) or not channels.isdisjoint(_ONLINE),
        "is_express": bool(elements.get("takes_mail") or elements.get("sends_result")),
        "is_booked": bool(elements.get("booking")),
        "at_terminals": "self-service-terminal" in channels,
        "in_hall": bool(places[0].get("name")),
        "in_many_places": bool(elements.get("handling_area")),
        "has_intermediary": bool(elements.get("intermediary_service")),
    }


def written(layout: Layout, item: Any) -> list[Any]:
    """The cells of a published item's row in the order of `layout.derived`."""
    effective_on: date = item.effective_on
    said = facts(item.content) | {
        "id": str(item.id),
        "version": item.current_version,
        "status": item.status,
        "effective_on": effective_on.strftime("%Y%m%d"),
    }
    return [cells.write(each.kind, said[each.field], layout.scheme) for each in layout.derived]


def complaints(
    layout: Layout, row: Row, content: Mapping[str, Any], status: str | None
) -> list[Problem]:
    """What a row says that the rest of it, or the item as it stands, says otherwise.

    A state is not imported: whoever pauses or retires an item gives a reason and is another person.
    """
    said = [(each, row.cells.get(each.header)) for each in layout.derived]
    known, found = facts(content), []
    for column, cell in said:
        if cell is None or cell == "" or (column.field not in known and column.field != "status"):
            continue
        try:
            value = cells.read(column.kind, cell, layout.scheme)
        except cells.CellWrong as wrong:
            found.append(Problem.of(row, column.header, wrong.message, wrong.remedy))
            continue
        if column.field == "status":
            found += _of_state(row, column, value, status or IN_USE)
        elif value is not None and value != known[column.field]:
            ours = label("yes-no", "true" if known[column.field] else "false")
            message = f"同一行的其他列说明是“{ours}”，已按其他列收下"
            remedy = "核对两处；确实是这样的，在其他列写明"
            found.append(Problem.of(row, column.header, message, remedy, is_refusal=False))
    return found


def _of_state(row: Row, column: Column, value: Any, stands: str) -> list[Problem]:
    usual = (IN_USE, stands) if stands in (Status.published, Status.paused) else (IN_USE,)
    if value is None or value in usual:
        return []
    message = f"事项状态是“{label('task-state', value)}”，导入不改变状态，也不收不在用的事项"
    remedy = "删去这一行；本目录里的事项要暂停或取消的，由审批人办理"
    return [Problem.of(row, column.header, message, remedy)]
