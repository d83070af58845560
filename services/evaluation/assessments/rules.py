"""Points, places, the months-last rule, and what may not be counted. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

#: The sentences that forbid it. Source: 关于规范村级组织工作事务、机制牌子和证明事项的意见, no. 3.
POLICY = (
    "不得简单以上传工作场景截图或者录制视频等作为评价村级组织是否落实工作的依据；"
    "坚决杜绝以填报表格或者提供材料调度村级组织工作、以“是否留痕”印证村级组织实绩。"
)
#: Words for uploads, pictures, forms and activity in apps and chat groups.
_TRACES = re.compile(
    r"截\s*[图屏]|录\s*[屏像制]|视\s*频|拍\s*照|照\s*片|图\s*片|影\s*像|留\s*痕|痕\s*迹|打\s*卡|签\s*到"
    r"|上\s*传|填\s*[报表写]|表\s*格|报\s*表|台\s*账|(?:报送|提供|提交|上报)\s*(?:的)?\s*材料"
    r"|转\s*发|点\s*赞|活跃度|关注量|下载量|注册量|工作群|微信群|(?i:screenshot|upload|photo|video)"
)
#: Below this share of the weights known there is nothing to compare.
KNOWN_SHARE = 0.5
UNRANKED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """An indicator's weight, and the values that earn nothing and everything."""

    code: str
    weight: float
    zero: float
    full: float


@dataclass(frozen=True, slots=True)
class Part:
    """What one indicator brought: its value, None where it is not known, and the points for it."""

    code: str
    value: float | None
    #: 0 to the indicator's weight.
    points: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A subject's points and place."""

    subject_id: str
    points: float | None
    place: int
    is_last: bool


def traces(*texts: str) -> list[str]:
    """The words in a definition that count proofs of work instead of work."""
    return sorted({found[0] for text in texts for found in _TRACES.finditer(text)})


def part(bounds: Bounds, value: float | None) -> Part:
    """The points for a value: in proportion between the bounds, whichever of them is higher."""
    if value is None:
        return Part(bounds.code, None, None, bounds.weight)
    share = (value - bounds.zero) / (bounds.full - bounds.zero)
    return Part(bounds.code, value, bounds.weight * min(1.0, max(0.0, share)), bounds.weight)


def points(parts: Iterable[Part]) -> float | None:
    """Points of 100: what is known, by its own weight; None when less than half is."""
    parts = list(parts)
    known = [each for each in parts if each.points is not None]
    weight = sum(each.weight for each in known)
    if not weight or weight < KNOWN_SHARE * sum(each.weight for each in parts):
        return None
    return round(100 * sum(each.points or 0.0 for each in known) / weight, 4)


def place(scores: Mapping[str, float | None]) -> list[Placed]:
    """Places, best first; equals share one. Nobody is last where all are equal or alone."""
    ranked = sorted((value for value in scores.values() if value is not None), reverse=True)
    places = {value: ranked.index(value) + 1 for value in set(ranked)}
    lowest = ranked[-1] if ranked and ranked[0] > ranked[-1] else None
    placed = [
        Placed(
            subject_id,
            value,
            UNRANKED if value is None else places[value],
            value is not None and value == lowest,
        )
        for subject_id, value in scores.items()
    ]
    return sorted(placed, key=lambda each: (each.place, each.subject_id))


def months_before(month: date, count: int) -> list[date]:
    """A month and those before it, newest first, `count` in all."""
    months = [month]
    while len(months) < count:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months


def is_last_throughout(was_last: Sequence[bool | None], months: int) -> bool:
    """连续末位: last in each of so many months; a month without a card breaks the row."""
    return len(was_last) >= months and all(each is True for each in was_last[:months])
