"""How item codes are built, by scheme and province: which of them a code is, and its parts."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

#: The three codes of an item, from the unified entry down to the smallest thing that is handled.
KINDS = ("basic", "implementation", "handling")


@dataclass(frozen=True, slots=True)
class Reading:
    """A code read under a scheme."""

    scheme: str
    parts: dict[str, str]


def read(kind: str, code: str, province: str) -> list[Reading]:
    """Every scheme in use in a province under which a code is well formed.

    `kind` is one of `KINDS`, `province` the first two digits of a division code.
    """
    readings = []
    for scheme in schemes_of(province):
        pattern = _patterns().get((scheme, kind))
        match = pattern.fullmatch(code) if pattern else None
        if match is not None:
            parts = {name: text for name, text in match.groupdict().items() if text is not None}
            readings.append(Reading(scheme, parts))
    return readings


def schemes_of(province: str) -> list[str]:
    """Names of the schemes in use in a province."""
    provinces: dict[str, list[str]] = _document()["provinces"]
    return provinces.get(province, provinces["default"])


def describe(kind: str, province: str) -> str:
    """The schemes a code could have been of, for whoever has to correct it."""
    entries = _document()["schemes"]
    return "；".join(
        entries[name]["title"] for name in schemes_of(province) if kind in entries[name]
    )


@cache
def _patterns() -> dict[tuple[str, str], re.Pattern[str]]:
    return {
        (name, kind): re.compile(entry[kind])
        for name, entry in _document()["schemes"].items()
        for kind in KINDS
        if kind in entry
    }


@cache
def _document() -> dict[str, Any]:
    text = files("services.catalogue.codes").joinpath("schemes.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document
