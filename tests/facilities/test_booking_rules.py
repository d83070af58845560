"""Slots follow hours, states follow one table, and no-shows block for a while."""

import itertools
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.facilities.bookings.rules import (
    TRANSITIONS,
    Action,
    blocked_until,
    common_hours,
    end_clock,
    is_within,
    slots_of,
)
from services.facilities.hours.rules import MINUTES_PER_DAY, Interval
from services.facilities.models import BookingState

MONDAY = date(2026, 11, 23)


@st.composite
def days(draw):
    """Intervals of one day, apart from each other."""
    edges = sorted(draw(st.sets(st.integers(0, MINUTES_PER_DAY), min_size=2, max_size=8)))
    return tuple(Interval(*pair) for pair in zip(edges[::2], edges[1::2], strict=False))


class TestSlots:
    @given(days(), st.integers(5, 240))
    def test_lie_inside_the_hours_one_after_the_other_and_as_many_as_fit(self, hours, minutes):
        found = list(slots_of(MONDAY, hours, minutes))
        assert len(found) == sum((closes - opens) // minutes for opens, closes in hours)
        for starts_at, ends_at in found:
            assert ends_at - starts_at == timedelta(minutes=minutes)
            begin = starts_at.hour * 60 + starts_at.minute
            assert any(opens <= begin and begin + minutes <= closes for opens, closes in hours)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))
        assert all(is_within(hours, *slot) for slot in found)
        assert not any(is_within(hours[1:], *slot) for slot in slots_of(MONDAY, hours[:1], minutes))

    def test_two_parts_that_touch_hold_a_slot_across_them(self):
        noon = Interval(480, 720), Interval(720, MINUTES_PER_DAY)
        (across,) = slots_of(MONDAY, (Interval(700, 740),), 40)
        (last,) = slots_of(MONDAY, (Interval(1380, MINUTES_PER_DAY),), 60)
        assert is_within(noon, *across)
        assert is_within(noon, *last)
        assert not is_within(noon[:1], *across)

    @given(days(), days())
    def test_a_counter_is_open_only_while_its_place_is(self, place, counter):
        def minutes(day):
            return {minute for opens, closes in day for minute in range(opens, closes)}

        assert minutes(common_hours(place, counter)) == minutes(place) & minutes(counter)

    def test_the_last_slot_of_a_day_ends_at_24_00(self):
        (slot,) = slots_of(MONDAY, (Interval(23 * 60, MINUTES_PER_DAY),), 60)
        assert end_clock(*slot) == "24:00"


class TestStates:
    def test_every_state_is_reached_and_ends_stay_ends(self):
        reached = {*TRANSITIONS.values(), BookingState.held, BookingState.waiting}
        assert reached == set(BookingState)
        ends = {BookingState.cancelled, BookingState.expired, BookingState.attended}
        after = {(state, action) for state, action in TRANSITIONS if state in ends}
        # One that the place took back may still be served: see `rebooking`.
        assert after == {(BookingState.cancelled, Action.restore)}

    def test_a_place_is_only_kept_by_taking_or_moving_up(self):
        into_held = {action for (_, action), state in TRANSITIONS.items() if state == "held"}
        assert into_held == {Action.move_up}


class TestBlocked:
    @given(st.lists(st.integers(0, 200), max_size=8), st.integers(1, 5), st.integers(1, 60))
    def test_only_enough_no_shows_close_together_block(self, offsets, limit, block_days):
        missed = [MONDAY - timedelta(days=offset) for offset in offsets]
        until = blocked_until(missed, limit, block_days)
        newest = sorted(offsets)[:limit]
        is_blocked = len(newest) == limit and newest[-1] - newest[0] <= block_days
        assert (until is not None) == is_blocked
        if until is not None:
            assert until == MONDAY - timedelta(days=newest[0]) + timedelta(days=block_days)
