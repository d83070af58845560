"""Who may rate what when: the standing of one evaluable service, as values."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from contracts.values import RatingLevel
from services.evaluation.models import Origin, RatingChannel, RatingState, RectificationState

#: 评价次数 assessNumber: the first rating and the 追评. Source: national 好差评 interface.
FIRST, AGAIN = 1, 2
#: The unit has not answered the bad rating yet; the one 追评 would be spent for nothing.
_UNDER_WAY = frozenset(
    {
        RectificationState.opened,
        RectificationState.verified,
        RectificationState.in_progress,
        RectificationState.reopened,
    }
)


class EvaluableState(StrEnum):
    """What a resident can do with an evaluable service now."""

    open = "open"
    rated = "rated"
    closed = "closed"


class Refusal(StrEnum):
    """Why a rating may not be given."""

    given_already = "given-already"
    closed = "closed"
    no_first_rating = "no-first-rating"
    rectification_under_way = "rectification-under-way"


@dataclass(frozen=True, slots=True)
class Given:
    """A rating of an evaluable service as it stands."""

    level: RatingLevel
    origin: Origin
    given_on: date
    channel: RatingChannel | None = None
    state: RatingState = RatingState.counted

    @property
    def counts(self) -> bool:
        """Whether a resident gave it, and it was neither withdrawn nor excluded."""
        return self.origin is Origin.resident and self.state is RatingState.counted


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that decides whether an evaluable service may be rated."""

    open_until: date
    first: Given | None = None
    second: Given | None = None
    rectification: RectificationState | None = None
    #: From the reply on: 追评 up to this day, though the supplement period may be over.
    rerate_until: date | None = None


def open_until(opened_on: date, supplement_days: int) -> date:
    """The last day on which a service may be rated: calendar days after it was opened."""
    return opened_on + timedelta(days=supplement_days)


def refusal(standing: Standing, assess_number: int, today: date) -> Refusal | None:
    """Why a rating with this number may not be given today, or None."""
    if assess_number == FIRST:
        return _first_refusal(standing, today)
    return _second_refusal(standing, today)


def _first_refusal(standing: Standing, today: date) -> Refusal | None:
    if standing.first is not None:
        return Refusal.given_already
    return Refusal.closed if today > standing.open_until else None


def _second_refusal(standing: Standing, today: date) -> Refusal | None:
    if standing.second is not None:
        return Refusal.given_already
    if standing.first is None or not standing.first.counts:
        return Refusal.no_first_rating
    if standing.rectification in _UNDER_WAY:
        return Refusal.rectification_under_way
    last = max(standing.open_until, standing.rerate_until or standing.open_until)
    return Refusal.closed if today > last else None


def next_assess_number(standing: Standing, today: date) -> int | None:
    """The rating that may be given today, if any."""
    return next((n for n in (FIRST, AGAIN) if refusal(standing, n, today) is None), None)


def state_of(standing: Standing, today: date) -> EvaluableState:
    """The state to show: open until first rated, then rated; closed when the period passed."""
    if standing.first is not None and standing.first.origin is Origin.resident:
        return EvaluableState.rated
    if refusal(standing, FIRST, today) is None:
        return EvaluableState.open
    return EvaluableState.closed
