"""When a code may be sent, and whether one that is offered counts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CODE_DIGITS = 6
#: Source: the usual 5 minutes of domestic SMS sign-in; NIST SP 800-63B §5.1.3.2 allows 10.
CODE_LIFETIME = timedelta(minutes=5)
#: With at most `per_phone_day` codes this leaves a guesser 50 tries in a million a day.
MAX_ATTEMPTS = 5
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """How many codes may be sent."""

    resend_after: timedelta
    per_phone_hour: int
    per_phone_day: int
    per_address_hour: int


def wait_before_sending(
    limits: CodeLimits,
    *,
    to_phone: Sequence[datetime],
    from_address: Sequence[datetime],
    now: datetime,
) -> timedelta:
    """Return how long a caller must wait, or zero; sendings in any order, of the last day."""
    waits = [timedelta(0)]
    if to_phone:
        waits.append(max(to_phone) + limits.resend_after - now)
    for sent, window, allowed in (
        (to_phone, HOUR, limits.per_phone_hour),
        (to_phone, DAY, limits.per_phone_day),
        (from_address, HOUR, limits.per_address_hour),
    ):
        recent = sorted(at for at in sent if at > now - window)
        if len(recent) >= allowed:
            waits.append(recent[-allowed] + window - now)
    return max(waits)


class CodeVerdict(StrEnum):
    """What becomes of an offered code."""

    right = "right"
    wrong = "wrong"
    exhausted = "exhausted"  #: too many attempts, even if this one were right
    stale = "stale"  #: none was sent, it was used, or it is too old


def judge_code(
    *, matches: bool, attempts: int, expires_at: datetime, is_used: bool, now: datetime
) -> CodeVerdict:
    """Judge an offered code against the newest one sent."""
    if is_used or now >= expires_at:
        return CodeVerdict.stale
    if attempts >= MAX_ATTEMPTS:
        return CodeVerdict.exhausted
    return CodeVerdict.right if matches else CodeVerdict.wrong
