"""Our words in the standard's: identifiers, schedules, accessibility, costs, documents.

Pure. Identifiers that we do not keep are made from what they name, so that they never change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any
from uuid import UUID, uuid5

#: The standard wants UUIDs for everything; ours of things that have none hang below this one.
NAMESPACE = UUID("6b1d6a2c-6f5e-5c0e-9d0b-3f6a9f0b8e21")
OFFSET = "+08:00"
_BYDAY = {
    "monday": "MO",
    "tuesday": "TU",
    "wednesday": "WE",
    "thursday": "TH",
    "friday": "FR",
    "saturday": "SA",
    "sunday": "SU",
}
ACCESS_WORDS = {
    "ramp": "坡道",
    "accessible_toilet": "无障碍卫生间",
    "tactile_paving": "盲道",
    "lift": "电梯",
    "low_counter": "低位窗口",
    "elder_friendly": "适老化改造",
    "child_friendly": "适儿化改造",
}
_NECESSITY = {
    "required": "必要",
    "optional": "非必要",
    "deferrable": "可容缺后补",
    "waivable": "可免交",
}
STATUS = {"published": "active", "paused": "temporarily closed", "retired": "defunct"}


def organization_id(division_code: str) -> UUID:
    """The identifier of a division as an organisation: a UUID of version 8 that ends in its code."""
    return UUID(f"79696368-7561-8e67-8000-{division_code}")


def division_of(organization: UUID) -> str | None:
    """The division an identifier was made of; None when it is none of ours."""
    code = str(organization)[-12:]
    return code if code.isdecimal() and organization_id(code) == organization else None


def placed_id(item_id: UUID, facility_id: UUID) -> UUID:
    """The identifier of a service at a location; the database makes the same one."""
    return UUID(md5(f"{item_id}{facility_id}".encode(), usedforsecurity=False).hexdigest())


def identifier(*parts: object) -> UUID:
    """The identifier of something that has none of its own."""
    return uuid5(NAMESPACE, ":".join(map(str, parts)))


@dataclass(frozen=True, slots=True)
class Rule:
    """Days of the week with the same opening hours; times as `HH:MM+08:00`."""

    byday: str
    opens_at: str
    closes_at: str
    description: str | None = None


def weekly_rules(
    weekly_hours: Mapping[str, Sequence[Mapping[str, str]]], description: str | None = None
) -> list[Rule]:
    """One rule for each interval, with all days that have it."""
    days: dict[tuple[str, str], list[str]] = {}
    for weekday, byday in _BYDAY.items():
        for interval in weekly_hours.get(weekday, ()):
            days.setdefault((interval["opens"], interval["closes"]), []).append(byday)
    return [
        Rule(",".join(bydays), f"{opens}{OFFSET}", f"{closes}{OFFSET}", description)
        for (opens, closes), bydays in sorted(days.items())
    ]


def season_words(season: Mapping[str, Any]) -> str:
    """A season in words: the standard's dates name a year, a season comes back."""
    return f"{season['name']}（每年 {season['first']} 至 {season['last']}）"


def holiday_words(policy: Mapping[str, str] | None) -> str | None:
    """What the calendar changes, in words: no rule of the standard says it."""
    words = []
    if policy and policy.get("holidays") == "closed":
        words.append("法定节假日不开放")
    if policy and policy.get("make_up_days") == "as-weekday":
        words.append("调休上班的周末按周一的时间开放")
    return "；".join(words) or None


def access_words(accessibility: Mapping[str, bool | None]) -> list[tuple[str, str, str]]:
    """(name, words, 有 or 无) of everything that somebody looked at; the rest is unknown."""
    return [
        (name, words, "有" if accessibility[name] else "无")
        for name, words in ACCESS_WORDS.items()
        if accessibility.get(name) is not None
    ]


def document_words(material: Mapping[str, Any]) -> str:
    """A material as a resident reads it."""
    return f"{material['name']}（{_NECESSITY[material['necessity']]}）"


def fees_words(fee: Mapping[str, Any] | None) -> str | None:
    """Whether a service costs something; None when nobody said."""
    if fee is None:
        return None
    if not fee["charged"]:
        return "不收费"
    return f"收费；依据：{fee['basis']}" if fee.get("basis") else "收费"


def costs(fee: Mapping[str, Any] | None) -> list[tuple[str, float | None, str]]:
    """(what for, amount, in words): an amount only where there is none to pay.

    Standards are words, such as 每证 10 元; no number is guessed out of them.
    """
    if fee is None:
        return []
    if not fee["charged"]:
        return [("不收费", 0.0, "不收费")]
    return [(entry["name"], None, entry["standard"]) for entry in fee["entries"]]


def pages(total: int, size: int) -> int:
    """How many pages there are; an empty list has one."""
    return max(1, -(-total // size))
