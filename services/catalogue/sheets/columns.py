"""Columns of sheets: which field a header names, under each preset."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from services.catalogue.codes.tables import NATIONAL


@dataclass(frozen=True, slots=True)
class Column:
    """A field of an item, or of an entry of the basic catalogue, as a sheet has it."""

    #: Dotted: `limits.promised_days`.
    field: str
    kind: str
    header: str

    @property
    def path(self) -> tuple[str | int, ...]:
        return tuple(int(part) if part.isdigit() else part for part in self.field.split("."))


@dataclass(frozen=True, slots=True)
class Layout:
    """How the sheets of a preset are read and written."""

    scheme: str
    columns: tuple[Column, ...]
    #: Whether whole parts (`limits`, `materials`) may stand under their own names, as in our JSON.
    takes_parts: bool
    #: What follows from the rest: only a preset of items has it.
    derived: tuple[Column, ...] = ()

    @property
    def headers(self) -> list[str]:
        """The header of a sheet that goes out."""
        return [column.header for column in (*self.columns, *self.derived)]

    def find(self, pointer: str) -> Column | None:
        """The column a JSON pointer into an item points at, or into."""
        path = pointer.strip("/").replace("/", ".") + "."
        fits = [each for each in self.columns if path.startswith(each.field + ".")]
        inside = [each for each in self.columns if each.field.startswith(path)]
        return max(fits, key=lambda each: len(each.field), default=inside[0] if inside else None)


def presets() -> tuple[str, ...]:
    """Names of the presets a caller may choose from."""
    return tuple(_document()["presets"])


def title(preset: str) -> str:
    """What a preset is, in words."""
    return str(_document()["presets"][preset]["title"])


@cache
def layout(preset: str | None, table: str = "columns") -> Layout:
    """The layout of a preset; without one the fields themselves head the columns.

    `table` names the columns in the file: those of items, or `basic_columns`.
    """
    chosen = _document()["presets"].get(preset, {"header": "field", "scheme": NATIONAL})
    place = ("field", "kind", "national", "chinese").index(chosen["header"])
    is_items = table == "columns"
    derived = _columns("derived_columns", place) if is_items and place else ()
    return Layout(
        chosen["scheme"],
        _columns(table, place),
        takes_parts=is_items and not place,
        derived=derived,
    )


def _columns(table: str, place: int) -> tuple[Column, ...]:
    return tuple(
        Column(field=entry[0], kind=entry[1], header=entry[place]) for entry in _document()[table]
    )


@cache
def _document() -> dict[str, Any]:
    text = files("services.catalogue.sheets").joinpath("columns.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document
