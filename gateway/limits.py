"""How often a caller may call: one token bucket per caller and rate class, in bounded memory."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum


class RateClass(StrEnum):
    """What is counted together."""

    read = "read"
    write = "write"
    sign_in = "sign-in"
    look_up = "look-up"  #: asking with a code instead of a name: whoever guesses must be slow
    code = "code"  #: sending a sign-in code costs money and can annoy a stranger
    verification = "verification"  #: tokens not seen before; each costs a signature check


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` on average, `burst` at once."""

    per_second: float
    burst: int


#: Per caller and gateway process. An address may be a whole service hall behind one router, so
#: anonymous reads are generous and only what is dear or abusable is tight.
DEFAULT_RATES: dict[RateClass, Rate] = {
    RateClass.read: Rate(per_second=50, burst=200),
    RateClass.write: Rate(per_second=10, burst=60),
    RateClass.sign_in: Rate(per_second=2, burst=60),
    RateClass.look_up: Rate(per_second=0.5, burst=30),
    RateClass.code: Rate(per_second=0.2, burst=20),
    RateClass.verification: Rate(per_second=20, burst=200),
}
MAX_BUCKETS = 100_000


class TokenBuckets:
    """Buckets of one rate, the longest unused dropped first when there are too many.

    A bucket is one number, the time at which it is full again (the generic cell rate algorithm,
    ITU-T I.371); `tests/gateway/test_limits.py` holds it against a counted bucket. Dropping a
    bucket forgives its owner, which costs an attacker `max_buckets` other addresses.
    """

    def __init__(self, rate: Rate, *, max_buckets: int = MAX_BUCKETS) -> None:
        self._interval = 1.0 / rate.per_second
        self._tolerance = self._interval * rate.burst
        self._max_buckets = max_buckets
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable, now: float) -> float:
        """Take one token; return 0.0, or the seconds until one is there."""
        full_at = self._full_at.get(key, now)
        if full_at < now:
            full_at = now
        full_at += self._interval
        wait = full_at - now - self._tolerance
        if wait > 1e-9:
            return wait
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._max_buckets:
            self._full_at.popitem(last=False)
        return 0.0


class Limiter:
    """The buckets of every rate class."""

    def __init__(self, rates: dict[RateClass, Rate], *, max_buckets: int = MAX_BUCKETS) -> None:
        self._buckets = {
            name: TokenBuckets(rates.get(name, default), max_buckets=max_buckets)
            for name, default in DEFAULT_RATES.items()
        }

    def take(self, rate_class: RateClass, key: Hashable, now: float) -> float:
        """Take one token of a class; return 0.0, or the seconds until one is there."""
        return self._buckets[rate_class].take(key, now)
