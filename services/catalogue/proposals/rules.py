"""Pure rules of proposals: which figures suggest that an admission should end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

#: An item nobody used in so long, once it has been admitted as long, is not needed. Ours.
UNUSED_DAYS = 365
#: Fewer ratings say nothing. Ours.
ENOUGH_RATINGS = 20
#: Below this share of satisfied ratings, in [0, 1], residents do not approve of it. Ours.
POOR_SATISFACTION = 0.6
#: A yearly review that is so much late has not been held. Ours.
REVIEW_GRACE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of an admission on a day."""

    valid_from: date
    basis_until: date | None
    funds_until: date | None
    review_on: date | None
    #: Cases in the last year; None for what has no cases.
    cases: int | None
    rated: int
    satisfaction_ratio: float | None


def grounds(figures: Figures, today: date) -> list[dict[str, Any]]:
    """Why it should end, each ground with its figures; empty when it should stay.

    Source: 《关于规范村级组织工作事务、机制牌子和证明事项的意见》三（二）: 没有法律法规或政策依据、
    没有经费保障、没有实际效用、村民群众不认可的坚决取消.
    """
    return list(_grounds(figures, today))


def _grounds(figures: Figures, today: date) -> Iterator[dict[str, Any]]:
    if figures.basis_until is not None and figures.basis_until < today:
        yield {"ground": "no-basis", "text": "依据已经失效", "since": figures.basis_until}
    if figures.funds_until is None or figures.funds_until < today:
        yield {"ground": "no-funds", "text": "经费已经到期", "since": figures.funds_until}
    long_enough = today - figures.valid_from >= timedelta(days=UNUSED_DAYS)
    if figures.cases == 0 and long_enough:
        yield {"ground": "unused", "text": "一年里没有人办过", "days": UNUSED_DAYS}
    ratio = figures.satisfaction_ratio
    if figures.rated >= ENOUGH_RATINGS and ratio is not None and ratio < POOR_SATISFACTION:
        yield {
            "ground": "badly-rated",
            "text": "群众不认可",
            "rated": figures.rated,
            "satisfaction_ratio": ratio,
        }
    if figures.review_on is not None:
        late = today - figures.review_on
        if late > timedelta(days=REVIEW_GRACE_DAYS):
            yield {"ground": "not-reviewed", "text": "年度评估没有做", "since": figures.review_on}
