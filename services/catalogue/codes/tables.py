"""What a code means in a scheme, and under which code a value goes out.

`decode("use-level", "6", "gb39046")` is community; in the scheme `early` the same 6 has no value here.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

NATIONAL = "gb39046"
#: Words differ in brackets and width only by habit.
_WIDTHS = str.maketrans({"(": "（", ")": "）", ",": "，", " ": None, "\u3000": None})


@dataclass(frozen=True, slots=True)
class Unknown:
    """A code that means nothing here, with what it might have been."""

    table: str
    allowed: str


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of value: its words, and its codes by scheme."""

    title: str
    #: Value → word.
    labels: dict[str, str]
    #: Word → value, other words included.
    words: dict[str, str]
    #: Scheme → code → value; None when the scheme knows a code that has no value here.
    codes: dict[str, dict[str, str | None]]
    #: Scheme → what is not known of its codes, for whoever meets one.
    hints: dict[str, str]


def decode(table: str, text: str, scheme: str = NATIONAL) -> str | Unknown:
    """The value of a code, a word or our own name for it; codes without leading zeros are read too.

    Figures are always a code of the scheme: ours and another's may look alike and differ.
    """
    found = load()[table]
    codes = codes_of(table, scheme)
    text = text.strip()
    if text in codes or text.zfill(2) in codes:
        value = codes[text] if text in codes else codes[text.zfill(2)]
    elif not text.isdigit() and (text in found.labels or text in codes.values()):
        value = text
    else:
        value = found.words.get(text.translate(_WIDTHS))
    if value is None:
        return Unknown(found.title, _allowed(found, codes) + found.hints.get(scheme, ""))
    return value


def encode(table: str, value: str, scheme: str = NATIONAL) -> str:
    """The code of a value in a scheme; its word where the scheme has no code for it."""
    for code, meaning in codes_of(table, scheme).items():
        if meaning == value:
            return code
    return load()[table].labels.get(value, value)


def label(table: str, value: str) -> str:
    """The word for a value."""
    return load()[table].labels.get(value, value)


def codes_of(table: str, scheme: str) -> dict[str, str | None]:
    """Code → value of a table as a scheme has it."""
    codes = load()[table].codes
    name: str | None = scheme
    while name is not None:
        if name in codes:
            return codes[name]
        name = _document()["schemes"][name]["base"]
    return {}


def schemes() -> dict[str, str]:
    """Name → title of every scheme."""
    return {name: each["title"] for name, each in _document()["schemes"].items()}


@cache
def load() -> dict[str, Table]:
    """Every table by its name."""
    return {name: _table(each) for name, each in _document()["tables"].items()}


def _table(entry: dict[str, Any]) -> Table:
    labels: dict[str, str] = entry["labels"]
    words = {word: value for value, word in labels.items()} | entry.get("aliases", {})
    return Table(
        title=entry["title"],
        labels=labels,
        words={word.translate(_WIDTHS): value for word, value in words.items()},
        codes=entry["codes"],
        hints=entry.get("hints", {}),
    )


@cache
def _document() -> dict[str, Any]:
    text = files("services.catalogue.codes").joinpath("tables.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _allowed(table: Table, codes: dict[str, str | None]) -> str:
    known = [
        f"{code} {table.labels.get(value, value)}"
        for code, value in codes.items()
        if value is not None
    ]
    return "、".join(known or table.labels.values())
