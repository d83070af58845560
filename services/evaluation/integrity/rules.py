"""Detectors of doubtful ratings: pure functions over ratings that lie near each other.

Source of every threshold: none of the texts names one; all are provisional, and their false alarms on
generated honest traffic are what `python -m bench.integrity` prints.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.evaluation.models import Detector, RatingChannel


@dataclass(frozen=True, slots=True)
class Seen:
    """A rating as the detectors see it: hashes, not numbers; an opaque resident."""

    id: UUID
    given_at: datetime
    unit_code: str | None
    resident: UUID
    channel: RatingChannel | None
    window_code: str | None = None
    device: bytes | None = None
    phone: bytes | None = None
    words: bytes | None = None
    seconds_after: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A detector's reason to look at a rating: counts and thresholds, never whose."""

    rating_id: UUID
    detector: Detector
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From how many, within how long."""

    #: A case takes a window minutes: more ratings than this in ten were not given by those served.
    burst_ratings: int = 8
    burst_span: timedelta = timedelta(minutes=10)
    #: A family shares a telephone: this many residents are more than one.
    device_residents: int = 6
    phone_residents: int = 4
    words_residents: int = 4
    span: timedelta = timedelta(days=30)
    #: Nobody reads the question in less.
    quick_seconds: int = 4


#: Where a device stands for everybody to rate on.
_SHARED = frozenset({RatingChannel.window, RatingChannel.self_service_terminal})
#: Where who was served rates at the window.
_AT_WINDOW = _SHARED | {RatingChannel.qr_code}
_PRESSURE = re.compile(
    r"(?:要求|强迫|逼|催|让|叫)(?:我|我们|大家)?(?:必须|一定)?(?:给|打|选|点|做)?(?:了)?(?:五星|5星|好评|非常满意|满意评价)"
    r"|(?:不给|不打|没有?)好评(?:就)?(?:不|别想)"
    r"|(?:替|代|帮)(?:我|我们|群众|老百姓)(?:做|点|打|评|选)(?:了|的)?(?:评价|好评|满意)?"
    r"|好评(?:返现|有礼|送|换)"
    r"|(?:不许|不准|不让)(?:给|打|写)?(?:差评|不满意)"
)


def window_burst(ratings: Sequence[Seen], limits: Thresholds) -> list[Doubt]:
    """More ratings at one window in a span than it can serve."""
    groups = _grouped(
        ratings,
        lambda seen: (
            (seen.unit_code, seen.window_code)
            if seen.window_code and seen.channel in _AT_WINDOW
            else None
        ),
    )
    doubts: dict[UUID, Doubt] = {}
    for group in groups:
        start = 0
        for end, seen in enumerate(group):
            while seen.given_at - group[start].given_at > limits.burst_span:
                start += 1
            count = end - start + 1
            if count > limits.burst_ratings:
                detail = {"ratings": count, "minutes": limits.burst_span.total_seconds() / 60}
                for each in group[start : end + 1]:
                    doubts[each.id] = Doubt(each.id, Detector.window_burst, detail)
    return list(doubts.values())


def same_device(ratings: Sequence[Seen], limits: Thresholds) -> list[Doubt]:
    """One device for more residents than a family has, shared devices aside."""
    return _many_residents(
        ratings,
        Detector.same_device,
        lambda seen: None if seen.channel in _SHARED else seen.device,
        limits.device_residents,
        limits.span,
    )


def same_phone(ratings: Sequence[Seen], limits: Thresholds) -> list[Doubt]:
    """One telephone number for more residents than a family has."""
    return _many_residents(
        ratings,
        Detector.same_phone,
        lambda seen: seen.phone,
        limits.phone_residents,
        limits.span,
    )


def identical_words(ratings: Sequence[Seen], limits: Thresholds) -> list[Doubt]:
    """The same sentence about one unit by residents who do not know each other."""
    return _many_residents(
        ratings,
        Detector.identical_words,
        lambda seen: (seen.unit_code, seen.words) if seen.words else None,
        limits.words_residents,
        limits.span,
    )


def too_quick(ratings: Sequence[Seen], limits: Thresholds) -> list[Doubt]:
    """Rated before anybody can have read the question."""
    return [
        Doubt(seen.id, Detector.too_quick, {"seconds": seen.seconds_after})
        for seen in ratings
        if seen.seconds_after is not None and seen.seconds_after < limits.quick_seconds
    ]


def pressure_words(ratings: Sequence[Seen], _: Thresholds) -> list[Doubt]:
    """The text speaks of pressure, of rating for somebody, or of a reward.

    Source: 严禁强迫或干扰服务对象的评价行为 (GB/T 39734-2020 4.1); 不得以任何方式暗示.
    """
    return [
        Doubt(seen.id, Detector.pressure_words)
        for seen in ratings
        if seen.text and _PRESSURE.search(re.sub(r"\s", "", seen.text))
    ]


DETECTORS: tuple[Callable[[Sequence[Seen], Thresholds], list[Doubt]], ...] = (
    window_burst,
    same_device,
    same_phone,
    too_quick,
    identical_words,
    pressure_words,
)


def doubts_of(ratings: Iterable[Seen], limits: Thresholds) -> list[Doubt]:
    """What all detectors find in ratings, each rating once a detector."""
    ordered = sorted(ratings, key=lambda seen: (seen.given_at, seen.id))
    return [doubt for detect in DETECTORS for doubt in detect(ordered, limits)]


def _grouped(ratings: Sequence[Seen], key: Callable[[Seen], Any]) -> list[list[Seen]]:
    groups: dict[Any, list[Seen]] = defaultdict(list)
    for seen in ratings:
        name = key(seen)
        if name is not None:
            groups[name].append(seen)
    return list(groups.values())


def _many_residents(
    ratings: Sequence[Seen],
    detector: Detector,
    key: Callable[[Seen], Any],
    most: int,
    span: timedelta,
) -> list[Doubt]:
    doubts: dict[UUID, Doubt] = {}
    for group in _grouped(ratings, key):
        start = 0
        for end, seen in enumerate(group):
            while seen.given_at - group[start].given_at > span:
                start += 1
            near = group[start : end + 1]
            residents = len({each.resident for each in near})
            if residents >= most:
                detail = {"residents": residents, "days": span.days}
                doubts |= {each.id: Doubt(each.id, detector, detail) for each in near}
    return list(doubts.values())
