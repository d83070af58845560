"""What a refresh token is worth when it is shown. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: A phone that lost the answer of a refresh asks again within seconds. Longer than a client's
#: time limit and one repetition, shorter than a thief's patience.
REPEAT_WINDOW = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session of one kind of account lives."""

    idle: timedelta
    whole: timedelta


class RefreshVerdict(StrEnum):
    rotate = "rotate"  #: give a new pair, this token is used up
    repeat = "repeat"  #: give the same successor again
    reused = "reused"  #: a copy is in other hands: revoke the family
    expired = "expired"
    revoked = "revoked"


@dataclass(frozen=True, slots=True)
class RefreshFacts:
    """What is known of a refresh token and its session."""

    used_at: datetime | None
    expires_at: datetime
    is_successor_used: bool
    session_expires_at: datetime
    is_session_revoked: bool


def judge_refresh(facts: RefreshFacts, now: datetime) -> RefreshVerdict:
    """Judge a refresh token that is shown.

    A used token normally means a stolen copy, whoever of the two comes second. One case is
    innocent and common: the answer to the first use was lost on the way, and the client asks
    again. Within `REPEAT_WINDOW`, and while the successor has not been used by anyone, the same
    successor is given again. A thief gains nothing by it: the family still has one unused token,
    and as soon as both hold it, the second of them to use it later than that reveals the theft.
    """
    if facts.is_session_revoked:
        return RefreshVerdict.revoked
    if now >= facts.session_expires_at:
        return RefreshVerdict.expired
    if facts.used_at is not None:
        is_recent = now - facts.used_at <= REPEAT_WINDOW
        if is_recent and not facts.is_successor_used:
            return RefreshVerdict.repeat
        return RefreshVerdict.reused
    return RefreshVerdict.expired if now >= facts.expires_at else RefreshVerdict.rotate
