"""What a rating changes in a score, and what the counts mean. See `models.scores` for what counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from contracts.values import RatingLevel
from services.evaluation.models import RatingChannel


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts of one evaluable service: its first rating, the one that holds now, a default.

    None where there is none, or where it was withdrawn or excluded.
    """

    first: RatingLevel | None = None
    current: RatingLevel | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """How a rating moves the counts of the day and the channel its service was first rated in."""

    day: date
    #: None for what was rated by default.
    channel: RatingChannel | None = None
    current: Mapping[RatingLevel, int] = field(default_factory=dict)
    first: Mapping[RatingLevel, int] = field(default_factory=dict)
    default: int = 0

    @classmethod
    def between(
        cls, before: Counted, after: Counted, day: date, channel: RatingChannel | None = None
    ) -> "Change":
        """From what counted to what counts: the one way every kind of change goes."""
        return cls(
            day,
            channel,
            current=_step(before.current, after.current),
            first=_step(before.first, after.first),
            default=int(after.default) - int(before.default),
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one subject, over all time or over one day."""

    current: Mapping[RatingLevel, int]
    first: Mapping[RatingLevel, int]
    default: int = 0

    @classmethod
    def empty(cls) -> "Tally":
        return cls({}, {})

    def plus(self, change: Change) -> "Tally":
        """The counts after a change."""
        return Tally(
            _sum(self.current, change.current),
            _sum(self.first, change.first),
            self.default + change.default,
        )

    @property
    def rated(self) -> int:
        return sum(self.current.values())

    @property
    def bad_first(self) -> int:
        """差评 as first given, whatever became of them."""
        return sum(count for level, count in self.first.items() if level.is_bad)

    @property
    def satisfaction_ratio(self) -> float | None:
        """好评率 in [0, 1]: (非常满意 + 满意 + 基本满意) ÷ all. Source: 上海's published figure."""
        if self.rated == 0:
            return None
        return sum(n for level, n in self.current.items() if not level.is_bad) / self.rated

    @property
    def average_stars(self) -> float | None:
        """Mean stars in [1, 5]."""
        if self.rated == 0:
            return None
        return sum(level.stars * count for level, count in self.current.items()) / self.rated


def _sum(
    one: Mapping[RatingLevel, int], other: Mapping[RatingLevel, int]
) -> dict[RatingLevel, int]:
    total = Counter(one)
    total.update(other)
    return {level: total[level] for level in RatingLevel if total[level]}


def _step(before: RatingLevel | None, after: RatingLevel | None) -> dict[RatingLevel, int]:
    if before is after:
        return {}
    left = {} if before is None else {before: -1}
    return left if after is None else left | {after: 1}
