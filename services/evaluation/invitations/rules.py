"""When look-up codes are closed after wrong guesses, and who may type in somebody else's rating."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: Wrong codes for one case number in the window, before even a right one is refused.
MOST_FAILURES = 5
WINDOW = timedelta(hours=1)
#: What is pushed to a device is shown this long.
SHOWN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Wrong codes since a moment."""

    failures: int
    counted_from: datetime


def is_closed(attempts: Attempts | None, now: datetime) -> bool:
    """Whether codes for this case number are refused for now."""
    if attempts is None or now - attempts.counted_from >= WINDOW:
        return False
    return attempts.failures >= MOST_FAILURES


def after_failure(attempts: Attempts | None, now: datetime) -> Attempts:
    """The count after one more wrong code; a new window begins when the last one is over."""
    if attempts is None or now - attempts.counted_from >= WINDOW:
        return Attempts(1, now)
    return Attempts(attempts.failures + 1, attempts.counted_from)
