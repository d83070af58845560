from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.facilities.hours.rules import (
    LOCAL,
    MINUTES_PER_DAY,
    FaultyInterval,
    Interval,
    IntervalFault,
    faults,
    open_minutes,
    opening_at,
    short_days,
)

CLOSED = ()
WORKDAY = (Interval(510, 720), Interval(840, 1110))  # 08:30–12:00, 14:00–18:30
WEEK = (WORKDAY,) * 5 + (CLOSED,) * 2
ALL_DAY = (Interval(0, MINUTES_PER_DAY),)
MONDAY = date(2026, 12, 21)


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=LOCAL)


class TestOpeningAt:
    @pytest.mark.parametrize(
        ("clock", "is_open", "change"),
        [
            ("00:00", False, "08:30"),
            ("08:29:59", False, "08:30"),
            ("08:30", True, "12:00"),
            ("11:59:59", True, "12:00"),
            ("12:00", False, "14:00"),
            ("13:00", False, "14:00"),
            ("14:00", True, "18:30"),
            ("18:29", True, "18:30"),
        ],
    )
    def test_on_a_workday_with_a_break(self, clock, is_open, change):
        opening = opening_at(WEEK, {}, at(clock))
        assert (opening.is_open, opening.next_change_at) == (is_open, at(change))

    def test_after_hours_the_next_day_counts(self):
        assert opening_at(WEEK, {}, at("18:30")).next_change_at == at("08:30", date(2026, 12, 22))

    def test_on_friday_night_monday_counts(self):
        opening = opening_at(WEEK, {}, at("20:00", date(2026, 12, 25)))
        assert (opening.is_open, opening.next_change_at) == (
            False, at("08:30", date(2026, 12, 28)),
        )  # fmt: skip

    def test_another_offset_is_read_as_local_time(self):
        moment = datetime(2026, 12, 21, 1, 0, tzinfo=timezone.utc)  # noqa: UP017 - 09:00 in Beijing
        assert opening_at(WEEK, {}, moment).is_open
        assert not opening_at(WEEK, {}, moment - timedelta(hours=1)).is_open

    def test_a_closed_day_is_passed_over(self):
        holidays = {MONDAY: CLOSED, date(2026, 12, 22): CLOSED}
        opening = opening_at(WEEK, holidays, at("09:00"))
        assert (opening.is_open, opening.next_change_at, opening.today) == (
            False, at("08:30", date(2026, 12, 23)), CLOSED,
        )  # fmt: skip

    def test_a_day_of_its_own_hours(self):
        sunday = date(2026, 12, 27)
        opening = opening_at(WEEK, {sunday: (Interval(600, 660),)}, at("10:30", sunday))
        assert (opening.is_open, opening.next_change_at) == (True, at("11:00", sunday))

    def test_hours_that_meet_at_midnight_are_one(self):
        night = ((Interval(0, 120), Interval(1200, MINUTES_PER_DAY)),) * 7
        opening = opening_at(night, {}, at("23:00"))
        assert (opening.is_open, opening.next_change_at) == (
            True, at("02:00", date(2026, 12, 22)),
        )  # fmt: skip

    def test_hours_that_touch_are_one(self):
        week = ((Interval(480, 720), Interval(720, 1080)),) * 7
        assert opening_at(week, {}, at("11:00")).next_change_at == at("18:00")

    def test_always_open_never_changes(self):
        opening = opening_at((ALL_DAY,) * 7, {}, at("03:00"))
        assert (opening.is_open, opening.next_change_at) == (True, None)

    def test_always_open_but_one_day(self):
        closed_on = date(2027, 2, 6)
        opening = opening_at((ALL_DAY,) * 7, {closed_on: CLOSED}, at("03:00"))
        assert (opening.is_open, opening.next_change_at) == (True, at("00:00", closed_on))

    def test_never_open(self):
        opening = opening_at((CLOSED,) * 7, {}, at("10:00"))
        assert (opening.is_open, opening.next_change_at, opening.today) == (False, None, CLOSED)

    def test_closed_for_most_of_a_year(self):
        closure = {MONDAY + timedelta(days=ahead): CLOSED for ahead in range(300)}
        opening = opening_at(WEEK, closure, at("10:00"))
        assert opening.next_change_at is not None
        assert opening.next_change_at.date() >= MONDAY + timedelta(days=300)


def intervals():
    """One day's intervals, in order and apart."""
    marks = st.lists(st.integers(0, MINUTES_PER_DAY), min_size=0, max_size=6, unique=True).map(
        sorted
    )
    return marks.map(
        lambda marks: tuple(
            Interval(opens, closes) for opens, closes in zip(marks[::2], marks[1::2], strict=False)
        )
    )


weeks = st.tuples(*[intervals()] * 7)
exceptions = st.dictionaries(
    st.integers(0, 9).map(lambda ahead: MONDAY + timedelta(days=ahead)), intervals(), max_size=4
)


def stands_open(week, special, moment: datetime) -> bool:
    """Whether a place is open, worked out the slow way: this very minute."""
    day = moment.date()
    minute = moment.hour * 60 + moment.minute
    return any(
        interval.opens <= minute < interval.closes
        for interval in special.get(day, week[day.weekday()])
    )


@settings(max_examples=150, deadline=None)
@given(week=weeks, special=exceptions, minute=st.integers(0, 8 * MINUTES_PER_DAY))
def test_opening_agrees_with_the_minute_by_minute_count(week, special, minute):
    moment = at("00:00") + timedelta(minutes=minute)
    opening = opening_at(week, special, moment)
    assert opening.is_open == stands_open(week, special, moment)
    change = opening.next_change_at
    if change is None:
        return
    assert change > moment
    assert stands_open(week, special, change) != opening.is_open
    assert stands_open(week, special, change - timedelta(minutes=1)) == opening.is_open
    span = int((change - moment).total_seconds()) // 60
    for ahead in range(0, span, max(1, span // 200)):
        assert stands_open(week, special, moment + timedelta(minutes=ahead)) == opening.is_open


class TestFaults:
    def test_order_does_not_matter(self):
        assert faults([Interval(840, 1080), Interval(480, 720)]) == []

    def test_intervals_may_touch(self):
        assert faults([Interval(480, 720), Interval(720, 1080)]) == []

    def test_an_end_before_its_start(self):
        assert faults([Interval(1080, 480), Interval(600, 600)]) == [
            FaultyInterval(0, IntervalFault.ends_before_it_starts),
            FaultyInterval(1, IntervalFault.ends_before_it_starts),
        ]

    def test_every_overlap_is_told(self):
        day = [Interval(480, 900), Interval(720, 800), Interval(850, 1000), Interval(1000, 1100)]
        assert faults(day) == [
            FaultyInterval(1, IntervalFault.overlaps),
            FaultyInterval(2, IntervalFault.overlaps),
        ]

    @given(intervals())
    def test_what_is_apart_has_no_faults(self, day):
        assert faults(day) == []


class TestShortDays:
    def test_breaks_do_not_count(self):
        assert open_minutes(WORKDAY) == 480

    def test_eight_hours_are_enough_and_days_off_are_short(self):
        assert short_days(WEEK) == {"saturday": 0, "sunday": 0}

    def test_a_minute_less_is_short(self):
        week = ((Interval(510, 720), Interval(840, 1109)),) + (ALL_DAY,) * 6
        assert short_days(week) == {"monday": 479}
