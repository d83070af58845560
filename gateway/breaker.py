"""Circuit breaker: stop calling a service that fails, try it again with a few probes.

Pure: the clock is an argument. One instance per service and process.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    closed = "closed"
    half_open = "half-open"
    open = "open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to open and how to close again.

    Source: the state machine of Nygard, "Release It!", with a window by count and age, so that
    failures of an hour ago on a quiet route do not open it.
    """

    window_requests: int = 50
    window_seconds: float = 30.0
    minimum_requests: int = 20
    failure_ratio: float = 0.5
    open_seconds: float = 5.0
    probes: int = 3  #: successes in a row that close it; also how many may be under way at once


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call; hand it back with `record` or `abandon`."""

    generation: int


class Breaker:
    """Closed → open on too many failures → half-open after a pause → closed or open again.

    Every state change begins a generation; results of calls admitted in an earlier one are
    ignored, so a slow failure from before the pause cannot fail a probe.
    """

    def __init__(self, policy: BreakerPolicy | None = None) -> None:
        self.policy = policy or BreakerPolicy()
        self.state = BreakerState.closed
        self._generation = 0
        self._results: deque[tuple[float, bool]] = deque(maxlen=self.policy.window_requests)
        self._failures = 0
        self._opened_at = 0.0
        self._probing = 0
        self._probes_passed = 0

    def admit(self, now: float) -> Permit | None:
        """Return a permit, or None while the service is left alone."""
        if self.state is BreakerState.closed:
            return Permit(self._generation)
        if self.state is BreakerState.open:
            if now - self._opened_at < self.policy.open_seconds:
                return None
            self._enter(BreakerState.half_open)
        if self._probing + self._probes_passed >= self.policy.probes:
            return None
        self._probing += 1
        return Permit(self._generation)

    def record(self, permit: Permit, now: float, *, ok: bool) -> None:
        """Note how an admitted call ended."""
        if permit.generation != self._generation:
            return
        if self.state is BreakerState.closed:
            self._record_closed(now, ok=ok)
            return
        self._probing -= 1
        if not ok:
            self._open(now)
            return
        self._probes_passed += 1
        if self._probes_passed >= self.policy.probes:
            self._enter(BreakerState.closed)

    def abandon(self, permit: Permit) -> None:
        """Note that an admitted call ended without saying anything about the service."""
        if permit.generation == self._generation and self.state is BreakerState.half_open:
            self._probing -= 1

    def retry_after_seconds(self, now: float) -> float:
        """Seconds until a refused caller may find the service open to probes."""
        if self.state is BreakerState.open:
            return max(0.0, self._opened_at + self.policy.open_seconds - now)
        return 1.0

    def _record_closed(self, now: float, *, ok: bool) -> None:
        results = self._results
        if len(results) == results.maxlen:
            self._forget_oldest()
        results.append((now, ok))
        self._failures += not ok
        if ok:
            return
        oldest = now - self.policy.window_seconds
        while results[0][0] < oldest:
            self._forget_oldest()
        too_many = self.policy.failure_ratio * len(results)
        if len(results) >= self.policy.minimum_requests and self._failures >= too_many:
            self._open(now)

    def _forget_oldest(self) -> None:
        self._failures -= not self._results.popleft()[1]

    def _open(self, now: float) -> None:
        self._enter(BreakerState.open)
        self._opened_at = now

    def _enter(self, state: BreakerState) -> None:
        self.state = state
        self._generation += 1
        self._results.clear()
        self._failures = 0
        self._probing = 0
        self._probes_passed = 0
