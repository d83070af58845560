"""What the counts of a score mean: shares and means of them. See `models.scores` for what counts."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from contracts.values import RatingLevel


class Grain(StrEnum):
    """How long a time one roll-up row covers."""

    day = "day"
    month = "month"
    year = "year"
    all = "all"

    def first_day(self, day: date) -> date:
        """The day that names the period: its first. All time has one name.

        Source: ours; a row of `score` has no day, the value is only a key in memory.
        """
        match self:
            case Grain.day:
                return day
            case Grain.month:
                return day.replace(day=1)
            case Grain.year:
                return day.replace(month=1, day=1)
            case Grain.all:
                return date.min


def batch_end(grain: Grain, first: date, days: int) -> date:
    """The last day of the month or year that begins; of so many days, at most that of the month."""
    if grain is Grain.year:
        return date(first.year, 12, 31)
    end = first.replace(day=monthrange(first.year, first.month)[1])
    return end if grain is Grain.month else min(first + timedelta(days=days - 1), end)


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one subject over some time."""

    current: Mapping[RatingLevel, int] = field(default_factory=dict)
    first: Mapping[RatingLevel, int] = field(default_factory=dict)
    default: int = 0
    opened: int = 0
    opened_rated: int = 0
    promised: int = 0
    kept: int = 0
    matters: int = 0
    matters_solved: int = 0
    matters_answered: int = 0
    matters_in_time: int = 0
    matters_called_back: int = 0

    @property
    def rated(self) -> int:
        return sum(self.current.values())

    @property
    def good(self) -> int:
        """Ratings that are no 差评."""
        return sum(count for level, count in self.current.items() if not level.is_bad)

    @property
    def bad_first(self) -> int:
        """差评 as first given, whatever became of them."""
        return sum(count for level, count in self.first.items() if level.is_bad)

    @property
    def satisfaction_ratio(self) -> float | None:
        """好评率 in [0, 1]: (非常满意 + 满意 + 基本满意) ÷ all. Source: 上海's published figure."""
        return _share(self.good, self.rated)

    @property
    def average_stars(self) -> float | None:
        """Mean stars in [1, 5]."""
        return _share(sum(level.stars * n for level, n in self.current.items()), self.rated)

    @property
    def active_ratio(self) -> float | None:
        """主动评价率 in [0, 1]: services their resident rated ÷ services open to rating."""
        return _share(self.opened_rated, self.opened)

    @property
    def on_time_ratio(self) -> float | None:
        """按期率 in [0, 1]: finished by the promised date ÷ finished with one."""
        return _share(self.kept, self.promised)

    @property
    def rectified_ratio(self) -> float | None:
        """差评整改率 in [0, 1]: closed as solved ÷ opened by a bad rating."""
        return _share(self.matters_solved, self.matters)

    @property
    def answered_in_time_ratio(self) -> float | None:
        """整改按期率 in [0, 1]: answered by the due date ÷ answered."""
        return _share(self.matters_in_time, self.matters_answered)

    @property
    def called_back_ratio(self) -> float | None:
        """回访率 in [0, 1]: called back ÷ opened by a bad rating."""
        return _share(self.matters_called_back, self.matters)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def percentile(below: int, equal: int, peers: int) -> float | None:
    """Share of the peers that are outranked, in [0, 1]; equals count half. None without peers.

    `equal` and `peers` include the subject itself.
    """
    others = peers - 1
    return (below + (equal - 1) / 2) / others if others > 0 else None
