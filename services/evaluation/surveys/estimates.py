"""What a stratified sample says of all households, and how sure that is. Pure.

The share is the stratified estimator with finite population correction (Cochran, Sampling
Techniques, 1977, ch. 5): villages are weighted by their households, whatever share of them answered.
The interval is Wilson's (1927) on the effective sample size p(1-p)/variance (Korn and Graubard,
1998), so that it stays within 0 and 1. A village with a single answer has no variance of its own;
for it, neighbours in order of code are taken together (collapsed strata).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FORMULA = "stratified-fpc-wilson-effective"
#: Two-sided 95 %.
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Stratum:
    """A village: its households, how many answered, and how many of them chose what is estimated."""

    code: str
    households: int
    answered: int
    chosen: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in [0, 1] with its 95 % interval, and what it was made of."""

    share: float
    low: float
    high: float
    standard_error: float
    answered: int
    #: Households of the villages with answers, which the share speaks for.
    households: int


def estimate(strata: Iterable[Stratum]) -> Estimate | None:
    """Estimate a share; None when nobody answered. Villages without answers are left out."""
    known = sorted((each for each in strata if each.answered > 0), key=lambda each: each.code)
    if not known:
        return None
    households = sum(each.households for each in known)
    answered = sum(each.answered for each in known)
    share = sum(each.households / households * each.chosen / each.answered for each in known)
    share = min(1.0, max(0.0, share))
    variance = sum(
        (each.households / households) ** 2 * _variance(each) for each in _collapse(known)
    )
    low, high = _wilson(share, _effective(share, variance, answered, households))
    return Estimate(share, low, high, math.sqrt(variance), answered, households)


def _variance(stratum: Stratum) -> float:
    """Of the share within one stratum: (1 - n/N) p (1 - p) / (n - 1)."""
    if stratum.answered < 2:
        return 0.0
    share = stratum.chosen / stratum.answered
    rest = 1 - stratum.answered / stratum.households
    return max(0.0, rest) * share * (1 - share) / (stratum.answered - 1)


def _collapse(strata: Sequence[Stratum]) -> list[Stratum]:
    groups: list[Stratum] = []
    for each in strata:
        if groups and (groups[-1].answered < 2 or (each is strata[-1] and each.answered < 2)):
            last = groups.pop()
            each = Stratum(
                last.code,
                last.households + each.households,
                last.answered + each.answered,
                last.chosen + each.chosen,
            )
        groups.append(each)
    return groups


def _effective(share: float, variance: float, answered: int, households: int) -> float:
    """Answers of a simple random sample that would be as sure; infinite when all were asked."""
    if variance > 0:
        return share * (1 - share) / variance
    rest = 1 - answered / households
    return answered / rest if rest > 0 else math.inf


def _wilson(share: float, count: float) -> tuple[float, float]:
    if math.isinf(count):
        return share, share
    square = Z * Z / count
    centre = share + square / 2
    spread = Z * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return (
        min(share, max(0.0, (centre - spread) / (1 + square))),
        max(share, min(1.0, (centre + spread) / (1 + square))),
    )
