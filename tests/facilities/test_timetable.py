from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.facilities.hours.rules import LOCAL, Interval
from services.facilities.hours.timetable import (
    Because,
    Policy,
    Season,
    Timetable,
    WorkingDays,
    overlapping,
)

WORKDAY = (Interval(510, 720), Interval(840, 1080))
SHORT = (Interval(540, 660),)
WEEK = (WORKDAY,) * 5 + ((), ())
SUMMER = Season("夏季", (5, 1), (9, 30), (SHORT,) * 7)
WINTER = Season("冬季", (11, 15), (3, 15), ((),) * 7)
BOTH = Policy(closed_on_holidays=True, works_make_up_days=True)
CALENDAR = WorkingDays(
    {
        date(2026, 10, 1): (False, "国庆节"),
        date(2026, 10, 2): (False, "国庆节"),
        date(2026, 10, 10): (True, "调休上班"),
    },
    frozenset({2026}),
)


def at(day: date, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=LOCAL)


class TestOn:
    @pytest.mark.parametrize(
        ("day", "hours", "because", "note"),
        [
            (date(2026, 9, 29), SHORT, Because.season, "夏季"),
            (date(2026, 10, 1), (), Because.holiday, "国庆节"),
            (date(2026, 10, 8), WORKDAY, Because.weekly_hours, None),
            (date(2026, 10, 10), WORKDAY, Because.make_up_day, "调休上班"),
            (date(2026, 10, 11), (), Because.weekly_hours, None),
            (date(2026, 10, 2), SHORT, Because.exception, "值班"),
            (date(2027, 1, 4), None, Because.calendar_unknown, None),
        ],
    )
    def test_the_nearest_reason_wins(self, day, hours, because, note):
        table = Timetable(
            WEEK, [SUMMER], {date(2026, 10, 2): (SHORT, "值班")}, policy=BOTH, calendar=CALENDAR
        )
        found = table.on(day)
        assert (found.hours, found.because, found.note) == (hours, because, note)

    def test_without_a_policy_the_calendar_changes_nothing(self):
        table = Timetable(WEEK, calendar=CALENDAR)
        assert table.on(date(2026, 10, 1)).hours == WORKDAY
        assert table.on(date(2026, 10, 10)).hours == ()
        assert table.on(date(2031, 10, 1)).hours == WORKDAY


class TestOpeningAt:
    def test_over_the_holiday_the_next_working_day_counts(self):
        table = Timetable(WEEK, policy=BOTH, calendar=CALENDAR)
        opening = table.opening_at(at(date(2026, 9, 30), "19:00"))
        assert opening.next_change_at == at(date(2026, 10, 5), "08:30")

    def test_nothing_is_said_of_a_year_without_calendar(self):
        table = Timetable(WEEK, policy=BOTH, calendar=CALENDAR)
        assert table.opening_at(at(date(2027, 1, 4), "09:00")).is_open is None
        last = table.opening_at(at(date(2026, 12, 31), "19:00"))
        assert (last.is_open, last.next_change_at) == (False, None)

    def test_nobody_is_taken_shortly_before_closing(self):
        table = Timetable(WEEK, last_entry_minutes=30)
        day = date(2026, 12, 21)
        opening = table.opening_at(at(day, "11:45"))
        assert opening.is_open
        assert table.last_entry_at(opening) == at(day, "11:30")
        assert table.last_entry_at(table.opening_at(at(day, "13:00"))) is None


class TestSeasons:
    def test_one_may_pass_the_years_end(self):
        assert WINTER.holds(date(2026, 12, 31))
        assert WINTER.holds(date(2027, 3, 15))
        assert not WINTER.holds(date(2027, 3, 16))

    def test_shared_days_are_named(self):
        late = Season("秋季", (9, 30), (10, 31), WEEK)
        assert overlapping([SUMMER, WINTER]) == []
        assert overlapping([SUMMER, WINTER, late]) == [("夏季", "秋季")]


@settings(max_examples=60, deadline=None)
@given(
    minute=st.integers(0, 40 * 24 * 60),
    holidays=st.sets(st.integers(0, 40), max_size=8),
    season=st.booleans(),
)
def test_the_answer_holds_until_the_next_change(minute, holidays, season):
    start = date(2026, 9, 15)
    days = {start + timedelta(days=ahead): (False, "假日") for ahead in holidays}
    calendar = WorkingDays(days, frozenset({2026, 2027}))
    table = Timetable(WEEK, [SUMMER] if season else [], policy=BOTH, calendar=calendar)
    moment = at(start, "00:00") + timedelta(minutes=minute)
    opening = table.opening_at(moment)

    def stands_open(when: datetime) -> bool:
        hours = table.on(when.date()).hours or ()
        minutes = when.hour * 60 + when.minute
        return any(interval.opens <= minutes < interval.closes for interval in hours)

    assert opening.is_open == stands_open(moment)
    assert opening.next_change_at is not None
    assert stands_open(opening.next_change_at) != opening.is_open
    assert stands_open(opening.next_change_at - timedelta(minutes=1)) == opening.is_open
