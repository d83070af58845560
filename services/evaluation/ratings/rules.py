"""What of a rating counts, and when who gave it may still change it."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from contracts.values import RatingLevel
from services.evaluation.evaluables.rules import Given, Standing
from services.evaluation.models import Origin, RatingState, RectificationState


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts of one evaluable service: its first rating, the one that holds now, a default.

    None where there is none, or where it was withdrawn or excluded.
    """

    first: RatingLevel | None = None
    current: RatingLevel | None = None
    default: bool = False


def counted(standing: Standing) -> Counted:
    """What counts of an evaluable service: the first rating, and the one that holds now."""
    first, second = standing.first, standing.second
    if first is not None and first.origin is Origin.default:
        return Counted(default=True)
    first_level = first.level if first and first.counts else None
    current = second.level if second and second.counts else first_level
    return Counted(first_level, current)


class ChangeRefusal(StrEnum):
    """Why a rating may not be corrected or withdrawn any more."""

    not_counted = "not-counted"
    rated_again = "rated-again"
    too_late = "too-late"
    #: The unit has begun to work on it: what it found must not vanish under its hands.
    under_way = "under-way"


@dataclass(frozen=True, slots=True)
class Changing:
    """What decides whether who gave a rating may change it."""

    rating: Given
    is_latest: bool
    rectification: RectificationState | None
    is_disputed: bool = False


def change_refusal(changing: Changing, correction_days: int, today: date) -> ChangeRefusal | None:
    """Why a rating may not be changed today by who gave it, or None.

    Source: none of the texts names a limit: `correction_days` is provisional.
    """
    if changing.rating.state is not RatingState.counted:
        return ChangeRefusal.not_counted
    if not changing.is_latest:
        return ChangeRefusal.rated_again
    if today > changing.rating.given_on + timedelta(days=correction_days):
        return ChangeRefusal.too_late
    touched = changing.rectification not in (None, RectificationState.opened)
    return ChangeRefusal.under_way if touched or changing.is_disputed else None
