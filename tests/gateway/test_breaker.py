"""The circuit breaker against its own promises, under any order of events."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.breaker import Breaker, BreakerPolicy, BreakerState

POLICY = BreakerPolicy(
    window_requests=10,
    window_seconds=30.0,
    minimum_requests=4,
    failure_ratio=0.5,
    open_seconds=5.0,
    probes=2,
)


def call(breaker: Breaker, now: float, *, ok: bool) -> bool:
    """Make one call at once; False when it was not admitted."""
    permit = breaker.admit(now)
    if permit is None:
        return False
    breaker.record(permit, now, ok=ok)
    return True


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    for _ in range(4):
        call(breaker, now, ok=False)
    assert breaker.state is BreakerState.open
    return breaker


def state(breaker: Breaker) -> BreakerState:
    """The state; through a function, because it changes between two asserts."""
    return breaker.state


class TestOpening:
    def test_few_failures_do_not_open(self):
        breaker = Breaker(POLICY)
        for _ in range(3):
            call(breaker, 0.0, ok=False)
        assert state(breaker) is BreakerState.closed

    def test_half_of_the_window_opens(self):
        breaker = Breaker(POLICY)
        for ok in (True, True, False):
            call(breaker, 0.0, ok=ok)
        assert state(breaker) is BreakerState.closed
        call(breaker, 0.0, ok=False)
        assert state(breaker) is BreakerState.open

    def test_old_failures_are_forgotten(self):
        breaker = Breaker(POLICY)
        for _ in range(3):
            call(breaker, 0.0, ok=False)
        call(breaker, 31.0, ok=False)
        assert state(breaker) is BreakerState.closed

    def test_successes_push_failures_out_of_the_window(self):
        breaker = Breaker(POLICY)
        for _ in range(3):
            call(breaker, 0.0, ok=False)
        for _ in range(10):
            call(breaker, 0.0, ok=True)
        for _ in range(4):
            call(breaker, 0.0, ok=False)
        assert state(breaker) is BreakerState.closed

    def test_open_refuses_and_says_for_how_long(self):
        breaker = opened(now=100.0)
        assert breaker.admit(104.9) is None
        assert breaker.retry_after_seconds(102.0) == 3.0


class TestHalfOpen:
    def test_only_so_many_probes_at_once(self):
        breaker = opened()
        assert breaker.admit(5.0)
        assert breaker.admit(5.0)
        assert breaker.admit(5.0) is None
        assert state(breaker) is BreakerState.half_open

    def test_passed_probes_close(self):
        breaker = opened()
        assert call(breaker, 5.0, ok=True)
        assert state(breaker) is BreakerState.half_open
        assert call(breaker, 5.0, ok=True)
        assert state(breaker) is BreakerState.closed

    def test_a_failed_probe_opens_again_for_the_whole_pause(self):
        breaker = opened()
        call(breaker, 5.0, ok=False)
        assert state(breaker) is BreakerState.open
        assert breaker.admit(9.9) is None
        assert breaker.admit(10.0)

    def test_an_abandoned_probe_makes_room(self):
        breaker = opened()
        first, second = breaker.admit(5.0), breaker.admit(5.0)
        assert first is not None
        assert second is not None
        breaker.abandon(first)
        assert breaker.admit(5.0)

    def test_a_late_failure_from_before_does_not_count(self):
        breaker = Breaker(POLICY)
        late = breaker.admit(0.0)
        assert late is not None
        for _ in range(4):
            call(breaker, 0.0, ok=False)
        probe = breaker.admit(5.0)
        assert probe is not None
        breaker.record(late, 5.0, ok=False)
        breaker.record(probe, 5.0, ok=True)
        assert call(breaker, 5.0, ok=True)
        assert state(breaker) is BreakerState.closed


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "succeed", "fail", "abandon"]),
        st.floats(min_value=0.0, max_value=4.0),
        st.integers(min_value=0, max_value=20),
    ),
    max_size=120,
)


class TestAnyOrder:
    @given(EVENTS)
    def test_never_stuck_and_never_flooded(self, events):
        """Whatever comes, probes stay bounded and a service that works is reached again."""
        breaker, now, under_way = Breaker(POLICY), 0.0, []
        for kind, seconds, choice in events:
            now += seconds
            if kind == "admit":
                permit = breaker.admit(now)
                if permit is not None:
                    under_way.append(permit)
            elif under_way:
                permit = under_way.pop(choice % len(under_way))
                if kind == "abandon":
                    breaker.abandon(permit)
                else:
                    breaker.record(permit, now, ok=kind == "succeed")
            current = [permit for permit in under_way if permit.generation == breaker._generation]
            if breaker.state is BreakerState.half_open:
                assert len(current) <= POLICY.probes
            if breaker.state is BreakerState.open:
                assert not current
        for permit in under_way:
            breaker.abandon(permit)
        now += POLICY.open_seconds
        for _ in range(POLICY.probes):
            assert call(breaker, now, ok=True)
        assert state(breaker) is BreakerState.closed

    @given(st.lists(st.booleans(), max_size=200))
    def test_failures_are_counted_as_a_recount_would(self, results):
        breaker = Breaker(POLICY)
        for ok in results:
            if not call(breaker, 0.0, ok=ok):
                break
            window = list(breaker._results)
            assert breaker._failures == sum(not passed for _, passed in window)
