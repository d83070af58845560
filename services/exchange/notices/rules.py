"""From an event's values to the words of a notice; pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from string import Formatter
from typing import Any, Protocol

from servicekit.personal_data import mask_identity_number, mask_mobile

#: Written by people: it may hold numbers that do not belong into a stored text.
FREE_TEXT = frozenset({"advice", "missing", "ordered_by", "reason", "reply", "right_organ", "what"})
#: Never shown in a notice, whatever a template asks for.
WITHHELD = frozenset({"applicant_id", "handler_name"})

_MOBILE = re.compile(r"(?<![0-9A-Za-z])1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z])")
#: Identity numbers (15 or 18 characters) and bank cards (16 to 19); offices' numbers are shorter.
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{14,18}[\dXx](?![0-9A-Za-z])")


class Part(Protocol):
    """A piece of text that depends on whether a field holds anything."""

    @property
    def given(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def otherwise(self) -> str: ...


class Line(Protocol):
    """A line that is written for each entry of a list."""

    @property
    def text(self) -> str: ...
    @property
    def parts(self) -> Mapping[str, Part]: ...


def fields_of(text: str) -> list[str]:
    """The names in braces of a text, in order.

    Raises:
        ValueError: unbalanced braces, or more in them than a name.
    """
    names = []
    for _, name, specification, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or specification or conversion:
            raise ValueError(f"{{{name}}} is not a plain name")
        names.append(name)
    return names


def fill(
    text: str,
    values: Mapping[str, Any],
    *,
    parts: Mapping[str, Part],
    each: Mapping[str, Line] | None = None,
) -> str:
    """Write a text with an event's values."""
    words = {name: shown(name, value) for name, value in values.items() if is_showable(value)}
    for name, part in parts.items():
        chosen = part.text if values.get(part.given) else part.otherwise
        words[name] = chosen.format_map(words)
    for name, line in (each or {}).items():
        entries: Sequence[Mapping[str, Any]] = values[name]
        words[name] = "\n".join(fill(line.text, entry, parts=line.parts) for entry in entries)
    return text.format_map(words)


def is_showable(value: object) -> bool:
    """Whether a value can stand in a text by itself."""
    if isinstance(value, tuple):
        return all(isinstance(entry, str) for entry in value)
    return isinstance(value, str | int | date)


def shown(name: str, value: object) -> str:
    """A value as residents read it: 2026年12月21日, 材料一；材料二."""
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    entries = [str(entry) for entry in (value if isinstance(value, tuple) else (value,))]
    if name in FREE_TEXT:
        # People end what they write with a full stop; the template has its own.
        entries = [redact(entry.strip().rstrip("。；;")) for entry in entries]
    return "；".join(entries)


def redact(text: str) -> str:
    """Mask identity, card and mobile numbers that somebody wrote into a text."""
    masked = _MOBILE.sub(lambda found: mask_mobile(re.sub(r"[ -]", "", found[0])), text)
    return _LONG_NUMBER.sub(lambda found: mask_identity_number(found[0]), masked)
