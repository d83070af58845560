"""A row of a sheet read into what it says of an item, and an item written as a row."""

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.values import DivisionLevel
from servicekit.imports import Problem, Row
from servicekit.wording import in_chinese
from services.catalogue.codes.tables import label
from services.catalogue.items.content import ItemContent
from services.catalogue.sheets import cells
from services.catalogue.sheets.columns import Column, Layout

_CHANNEL_OF_FORM = {"window": "window", "computer": "portal", "mobile": "mini-program"}
_TRIAGE = {
    "government-service": "government-public",
    "village-public": "village-public",
    "personal-convenience": "villager-personal",
}


@dataclass(slots=True)
class Said:
    """What a row says, and what is wrong with it or worth telling."""

    patch: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        return any(each.is_refusal for each in self.problems)


def read_row(layout: Layout, row: Row) -> Said:
    """Read every cell that is not empty; an empty one leaves the item as it is."""
    said, known = Said(), set(layout.headers)
    if layout.takes_parts:
        for name in row.cells.keys() & _parts().keys():
            if isinstance(row.cells[name], dict | list):
                known.add(name)
                _read_part(said, row, name)
    for column in layout.columns:
        cell = row.cells.get(column.header, "")
        if cell is None or cell == "" or (layout.takes_parts and isinstance(cell, dict | list)):
            continue
        try:
            _put(said.patch, column.path, cells.read(column.kind, cell, layout.scheme))
        except cells.CellWrong as wrong:
            said.problems.append(Problem.of(row, column.header, wrong.message, wrong.remedy))
            continue
        _note(said, column, row, cell)
    strangers = [name for name in row.cells if name not in known]
    if strangers and row.number <= 2:  # once a file
        message = f"没有用到的列：{'、'.join(strangers)}"
        told = Problem(row.number, "", "", message, "核对列名和所选的列名对照", is_refusal=False)
        said.problems.append(told)
    return said


def _read_part(said: Said, row: Row, name: str) -> None:
    """A whole part of an item, as our own JSON has it."""
    adapter = _parts()[name]
    try:
        value = adapter.validate_python(row.cells[name])
    except ValidationError as error:
        for each in error.errors(include_url=False):
            field = ".".join([name, *map(str, each["loc"])])
            said.problems.append(Problem(row.number, field, "", in_chinese(each), "按要求更正"))
    else:
        said.patch[name] = adapter.dump_python(value, mode="json")


@cache
def _parts() -> dict[str, TypeAdapter[Any]]:
    fields = ItemContent.model_fields.items()
    return {name: TypeAdapter(info.rebuild_annotation()) for name, info in fields}


def _note(said: Said, column: Column, row: Row, cell: Any) -> None:
    if column.kind == "days" and (unit := cells.unit_in(cell)) is not None:
        place = column.field.replace("_days", "_unit").split(".")
        said.patch.setdefault(place[0], {}).setdefault(place[1], unit)
    if column.kind == "uscc":
        number = said.patch["elements"]["body"]["uscc"]
        if number is not None and number != number.upper():
            said.patch["elements"]["body"]["uscc"] = number.upper()
            message = f"有小写字母，已按 {number.upper()} 收下"
            told = Problem.of(row, column.header, message, "在原表里改为大写", is_refusal=False)
            said.problems.append(told)


def identity(patch: dict[str, Any], division: str) -> tuple[str | None, str]:
    """Code and division of the item a row is about: its lowest code, in the file's division."""
    codes = (patch.get("elements") or {}).get("codes") or {}
    code = patch.get("item_code") or codes.get("handling") or codes.get("implementation")
    return code, patch.get("division_code") or division


def completed(
    patch: dict[str, Any], base: dict[str, Any] | None, file_name: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """The whole content an item would have, and what of a new one was filled in, field → words."""
    said = {key: value for key, value in patch.items() if key not in ("item_code", "division_code")}
    if base is not None:
        return _named(_merged(base, said)), {}
    filled: dict[str, str] = {}
    content = _merged({}, said)
    elements = content.get("elements") or {}
    kind = content.setdefault("item_kind", "government-service")
    content.setdefault("triage_class", _TRIAGE.get(kind, kind))
    if "function" not in content:
        content["function"] = "for-people"
        filled["function"] = label("function", "for-people")
    if "channels" not in content:
        forms = elements.get("handling_forms") or ["window"]
        content["channels"] = list(
            dict.fromkeys(_CHANNEL_OF_FORM[form] for form in forms if form in _CHANNEL_OF_FORM)
        )
        filled["channels"] = "、".join(label("channel", each) for each in content["channels"])
    if "accepts_at" not in content:
        content["accepts_at"] = [content.get("level", DivisionLevel.county)]
    content.setdefault("around_the_clock", False)
    content.setdefault("agent_service", "agent" in content["channels"])
    content.setdefault("visits", 0)
    content.setdefault("fee", {}).setdefault("charged", False)
    content.setdefault("form", {"type": "object", "properties": {}})
    content.setdefault("source", (elements.get("basis") or f"由文件导入：{file_name}")[:2000])
    limits = content.setdefault("limits", {})
    if isinstance(limits, dict):
        limits.setdefault("source", f"由文件导入：{file_name}"[:300])
        limits.setdefault("promised_unit", "working-days")
        if "project_kind" not in limits and "promised_days" in limits:
            limits["project_kind"] = "immediate" if limits["promised_days"] == 0 else "promised"
    if "summary" not in content and "name" in content:
        content["summary"] = content["name"]
        filled["summary"] = content["name"]
    return _named(content), filled


def _named(content: dict[str, Any]) -> dict[str, Any]:
    """Materials of a sheet have no code; one that is there already has kept its own."""
    materials = content.get("materials") or []
    taken = {each.get("code") for each in materials if isinstance(each, dict)}
    free = (f"m{n}" for n in range(1, 1000) if f"m{n}" not in taken)
    for material in materials:
        if isinstance(material, dict) and "code" not in material:
            material["code"] = next(free)
            material.setdefault("copies", 1)
    return content


def write_row(
    layout: Layout, item_code: str, division_code: str, content: dict[str, Any]
) -> list[Any]:
    """The cells of an item in the order of the columns."""
    whole = {"item_code": item_code, "division_code": division_code, **content}
    return [
        cells.write(column.kind, _get(whole, column.path), layout.scheme)
        for column in layout.columns
    ]


def _get(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _put(target: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    place: Any = target
    for part, following in pairwise(path):
        empty: Any = [{}] if isinstance(following, int) else {}
        if isinstance(part, int):
            place = place[part]
        else:
            if not place.get(part):
                place[part] = empty
            place = place[part]
    place[path[-1]] = value


def _merged(base: Any, said: Any) -> Any:
    """What is said over what was there; lists are taken as said, entries of the same name merged."""
    if isinstance(base, dict) and isinstance(said, dict):
        return {
            **base,
            **{key: _merged(base.get(key), value) for key, value in said.items()},
        }
    if isinstance(said, list) and said and all(isinstance(each, dict) for each in said):
        return _merged_entries(base if isinstance(base, list) else [], said)
    return said


def _merged_entries(base: list[Any], said: list[dict[str, Any]]) -> list[Any]:
    if not all("name" in each or "question" in each for each in said):
        return [_merged(base[n] if n < len(base) else {}, each) for n, each in enumerate(said)]
    known = {each.get("name") or each.get("question"): each for each in base}
    return [_merged(known.get(each.get("name") or each.get("question"), {}), each) for each in said]
