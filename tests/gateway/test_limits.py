"""Token buckets against a bucket that really counts tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import DEFAULT_RATES, Limiter, Rate, RateClass, TokenBuckets

STEPS = st.lists(st.integers(min_value=0, max_value=40), max_size=100)


class CountedBucket:
    """The textbook: tokens drip in up to the burst, a request takes one."""

    def __init__(self, rate: Rate) -> None:
        self.rate, self.tokens, self.at = rate, float(rate.burst), 0.0

    def take(self, now: float) -> bool:
        earned = (now - self.at) * self.rate.per_second
        self.tokens, self.at = min(self.rate.burst, self.tokens + earned), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class TestTokenBuckets:
    @given(STEPS, st.sampled_from([Rate(2, 1), Rate(8, 4), Rate(0.5, 3)]))
    def test_behaves_as_a_counted_bucket(self, steps, rate):
        buckets, counted, now = TokenBuckets(rate), CountedBucket(rate), 0.0
        for step in steps:
            now += step / 16  # exact in binary, so that both agree at the very edge
            assert (buckets.take("caller", now) == 0.0) is counted.take(now)

    @given(STEPS)
    def test_the_wait_it_names_is_enough(self, steps):
        buckets, now = TokenBuckets(Rate(4, 3)), 0.0
        for step in steps:
            now += step / 64
            wait = buckets.take("caller", now)
            if wait:
                now += wait
                assert buckets.take("caller", now) == 0.0

    def test_callers_do_not_share(self):
        buckets = TokenBuckets(Rate(1, 1))
        assert buckets.take("one", 0.0) == 0.0
        assert buckets.take("one", 0.0) == pytest.approx(1.0)
        assert buckets.take("other", 0.0) == 0.0

    @given(st.lists(st.integers(), min_size=1, max_size=300))
    def test_memory_is_bounded(self, callers):
        buckets = TokenBuckets(Rate(1, 1), max_buckets=10)
        for caller in callers:
            buckets.take(caller, 0.0)
            assert len(buckets) <= 10

    def test_the_longest_unused_goes_first(self):
        buckets = TokenBuckets(Rate(1, 2), max_buckets=2)
        for caller in ("a", "b", "a", "c"):
            buckets.take(caller, 0.0)
        assert buckets.take("a", 0.0) > 0.0
        assert buckets.take("b", 0.0) == 0.0


class TestLimiter:
    def test_classes_are_counted_apart(self):
        limiter = Limiter({RateClass.code: Rate(0.1, 1)})
        assert limiter.take(RateClass.code, "a", 0.0) == 0.0
        assert limiter.take(RateClass.code, "a", 0.0) > 0.0
        assert limiter.take(RateClass.read, "a", 0.0) == 0.0

    def test_codes_are_the_dearest(self):
        assert set(DEFAULT_RATES) == set(RateClass)
        code = DEFAULT_RATES[RateClass.code]
        assert all(code.per_second <= rate.per_second for rate in DEFAULT_RATES.values())
