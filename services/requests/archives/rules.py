"""Seals and terms as pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import orjson

#: Terms that records of administration have: for ever, thirty years, ten years.
#: Source: 机关文件材料归档范围和文书档案保管期限规定 (国家档案局令第8号). Which item has which is the county's.
DEFAULT_YEARS = 30
DEFAULT_SOURCE = "文书档案保管期限：永久、30年、10年；未另定的暂按30年（暂定）"


@dataclass(frozen=True, slots=True)
class Term:
    """保管期限: whole years, None for ever; `scope` says by which rule."""

    scope: str
    years: int | None


def term_of(rules: Mapping[str, int | None], item_code: str, task_type: str | None) -> Term:
    """The term of an item: its own, that of its kind, that of all others, ours."""
    for scope in (f"item:{item_code}", f"task-type:{task_type}", "*"):
        if scope in rules:
            return Term(scope, rules[scope])
    return Term("default", DEFAULT_YEARS)


def retain_until(closed_on: date, years: int | None) -> date | None:
    """The last day of a term, which is counted from the first of January after the end of a case."""
    return None if years is None else date(closed_on.year + years, 12, 31)


def canonical(value: Any) -> bytes:
    """The one form in which a value is sealed: JSON with sorted keys, times in UTC."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z, default=str)


def digest_of(value: Any) -> str:
    """SHA-256 of a value's canonical form."""
    return sha256(canonical(value)).hexdigest()


def changed_parts(sealed: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Parts of a record that are not what was sealed."""
    return sorted(name for name in sealed if now.get(name) != sealed[name])


def proof_of(archives: Sequence[Mapping[str, Any]], decided_by: str, decided_at: str) -> str:
    """What proves a destruction: which archives, by which seal, by whom and when."""
    return digest_of({"archives": archives, "decided_by": decided_by, "decided_at": decided_at})
