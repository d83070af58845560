from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from contracts.values import TimeUnit
from services.requests.cases.effects import moment_of
from services.requests.cases.timers import deadline_passed, deem_accepted
from services.requests.clock.calendars import Calendars
from services.requests.clock.rules import CalendarMissing, WorkingCalendar, received_on
from services.requests.clock.service import promise, tell_untold_years
from tests.requests.factories import key, make_request
from tests.support.tokens import bearer, resident

# 2026 as announced: 春节 15–23 February, working weekend days 14 and 28 February.
SPRING = {date(2026, 2, day): False for day in range(15, 24)}
CALENDAR = WorkingCalendar(
    frozenset({2025, 2026}),
    SPRING | {date(2026, 2, 14): True, date(2026, 2, 28): True, date(2026, 1, 4): True},
)
DAYS = st.dates(date(2025, 1, 1), date(2026, 9, 1))


class TestWorkingCalendar:
    def test_make_up_saturday_is_worked_and_holiday_weekday_is_not(self):
        assert CALENDAR.is_working(date(2026, 2, 14))
        assert not CALENDAR.is_working(date(2026, 2, 16))
        assert not CALENDAR.is_working(date(2026, 2, 7))

    def test_day_zero_is_not_counted_and_the_long_holiday_is_jumped(self):
        friday = date(2026, 2, 13)
        assert CALENDAR.add(friday, 1, TimeUnit.working_days) == date(2026, 2, 14)
        assert CALENDAR.add(friday, 2, TimeUnit.working_days) == date(2026, 2, 24)

    def test_calendar_days_end_on_a_working_day(self):
        assert CALENDAR.add(date(2026, 2, 10), 5, TimeUnit.calendar_days) == date(2026, 2, 24)

    def test_a_missing_year_is_an_error_never_a_date(self):
        with pytest.raises(CalendarMissing) as missing:
            CALENDAR.add(date(2026, 12, 25), 20, TimeUnit.working_days)
        assert missing.value.year == 2027

    @given(DAYS, st.integers(0, 40))
    def test_a_limit_holds_exactly_its_working_days(self, start, count):
        end = CALENDAR.add(start, count, TimeUnit.working_days)
        assert CALENDAR.count_between(start, end) == count
        assert end == start or CALENDAR.is_working(end)

    @given(DAYS, st.integers(0, 20), st.integers(0, 20))
    def test_limits_add_up(self, start, first, second):
        unit = TimeUnit.working_days
        once = CALENDAR.add(start, first + second, unit)
        assert CALENDAR.add(CALENDAR.add(start, first, unit), second, unit) == once


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-11-20T10:00", date(2026, 11, 20)),
        ("2026-11-20T17:30", date(2026, 11, 23)),
        ("2026-11-20T23:00", date(2026, 11, 23)),
        ("2026-11-22T09:00", date(2026, 11, 23)),
        ("2026-02-14T09:00", date(2026, 2, 14)),
    ],
)
def test_receipt_at_night_and_on_days_off_counts_from_the_next_working_day(local, expected):
    moment = datetime.fromisoformat(local + "+08:00").astimezone(UTC)
    assert received_on(CALENDAR, moment, time(17, 30)) == expected


def test_a_promise_waits_for_a_missing_calendar():
    promised = promise(
        CALENDAR,
        submitted_at=datetime(2026, 12, 24, 2, tzinfo=UTC),
        closes_at=time(17, 30),
        days=20,
        unit=TimeUnit.working_days,
    )
    assert promised.received_on == date(2026, 12, 24)
    assert promised.due_on is None


class TestCalendarYears:
    async def test_the_announced_years_are_there(self, service):
        answer = await service.client.get("/v1/calendar/2026")
        working_weekends = [day["day"] for day in answer.json()["days"] if day["is_working"]]
        assert working_weekends == [
            "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
        ]  # fmt: skip

    async def test_a_year_nobody_recorded(self, service):
        answer = await service.client.get("/v1/calendar/2099")
        assert (answer.status_code, answer.json()["code"]) == (404, "calendar-year-not-found")

    @pytest.mark.parametrize("who", [resident(), bearer("window-clerk")])
    async def test_only_the_operator(self, service, who):
        body = {"source": "国务院办公厅通知（测试）", "days": []}
        answer = await service.client.put("/v1/calendar/2032", json=body, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
        assert (await service.client.get("/v1/calendar/2032")).status_code == 404

    @pytest.mark.parametrize(
        ("days", "code"),
        [
            ([{"day": "2030-01-01", "is_working": False}], "day-outside-year"),
            ([{"day": "2033-01-01", "is_working": False}] * 2, "invalid-request"),
        ],
    )
    async def test_bad_years_change_nothing(self, service, days, code):
        body = {"source": "国务院办公厅通知（测试）", "days": days}
        answer = await service.client.put(
            "/v1/calendar/2033", json=body, headers=bearer("operator")
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert (await service.client.get("/v1/calendar/2033")).status_code == 404


class TestTimersOfCases:
    async def submitted(self, service) -> UUID:
        answer = await service.client.post(
            "/v1/requests", json=make_request(), headers=resident() | key()
        )
        return UUID(answer.json()["cases"][0]["id"])

    async def fire(self, service, handler, case_id) -> None:
        async with service.database.transaction() as session:
            await handler(session, case_id)

    async def test_silence_accepts_from_the_day_of_receipt(self, service):
        case_id = await self.submitted(service)
        past = datetime.now(UTC).date() - timedelta(days=10)
        async with service.database.transaction() as session:
            await session.execute(text("UPDATE service_case SET received_on = :day"), {"day": past})
        await self.fire(service, deem_accepted, case_id)
        [row] = await service.fetch("SELECT state, accepted_on FROM service_case")
        assert (row["state"], row["accepted_on"]) == ("accepted", past)
        _, event = (await service.events())[-1]
        assert event["deemed"] is True

    async def test_silence_after_an_answer_accepts_from_the_day_it_came(self, case):
        await case.done(case.clerk, "request-correction", missing=["残疾人证复印件"])
        past = datetime.now(UTC).date() - timedelta(days=40)
        async with case.service.database.transaction() as session:
            await session.execute(text("UPDATE service_case SET received_on = :day"), {"day": past})
        await case.done(case.applicant, "answer-correction")
        answered = await case.row()
        assert answered["received_on"] > past + timedelta(days=35)
        await case.fire(deem_accepted)
        accepted = await case.row()
        assert accepted["accepted_on"] == answered["received_on"]
        assert accepted["due_on"] == answered["due_on"] > accepted["accepted_on"]

    async def test_silence_after_a_notice_means_nothing(self, service):
        case_id = await self.submitted(service)
        async with service.database.transaction() as session:
            await session.execute(text("UPDATE service_case SET state = 'correcting'"))
        await self.fire(service, deem_accepted, case_id)
        assert len(await service.events()) == 1

    async def test_a_passed_limit_is_told_while_the_case_is_open_only(self, service):
        case_id = await self.submitted(service)
        await self.fire(service, deadline_passed, case_id)
        _, (_, told), (_, ordered) = await service.events()
        assert (told["overdue"], ordered["cause"]) == (True, "overdue")
        async with service.database.transaction() as session:
            await session.execute(text("UPDATE service_case SET state = 'completed'"))
        await self.fire(service, deadline_passed, case_id)
        assert len(await service.events()) == 3


@pytest.mark.parametrize(
    ("local", "counts_on"),
    [("2026-11-20T10:00", date(2026, 11, 20)), ("2026-11-22T10:00", date(2026, 11, 23))],
)
def test_what_is_done_on_a_day_off_counts_from_the_next_working_day(local, counts_on):
    now = datetime.fromisoformat(local + "+08:00")
    moment = moment_of(now, CALENDAR, time(17, 30), 10)
    assert moment.counts_on == counts_on
    assert moment.today == now.date()


FESTIVAL = date(2026, 9, 18)
FESTIVAL_YEAR = {
    "source": "运城市人民政府通知（测试）",
    "days": [{"day": "2026-09-18", "is_working": False, "note": "关公文化节"}],
}


class TestCalendarsOfDivisions:
    def test_the_nearest_division_decides_a_day(self):
        national = WorkingCalendar(frozenset({2026}))
        calendars = Calendars(
            national,
            {
                "140800000000": {FESTIVAL: False},
                "140802000000": {FESTIVAL: True},
            },
        )
        assert calendars.of("110101001001").is_working(FESTIVAL)
        assert not calendars.of("140821100200").is_working(FESTIVAL)
        assert calendars.of("140802001001").is_working(FESTIVAL)
        assert calendars.of("140802001001") is calendars.of("140802001002")

    async def put(self, service, who, code="140821000000", body=FESTIVAL_YEAR):
        path = f"/v1/calendar/2026/divisions/{code}"
        return await service.client.put(path, json=body, headers=who)

    async def test_a_county_s_own_day_moves_its_promises_and_is_told(self, service):
        answer = await self.put(service, bearer("operator", division="140800000000"))
        assert answer.status_code == 200
        type_, event = (await service.events())[-1]
        assert type_.endswith("calendar-year-recorded.v1")
        assert event["calendar_key"] == "140821000000:2026"
        assert [day["label"] for day in event["days"]] == ["关公文化节"]
        calendars = (await service.app.state.reference.refresh()).calendars
        assert not calendars.of("140821100200").is_working(FESTIVAL)
        assert calendars.of("140802001001").is_working(FESTIVAL)
        first = event["revision"]
        await self.put(service, bearer("operator", division="140800000000"), body=FESTIVAL_YEAR)
        assert (await service.events())[-1][1]["revision"] == first + 1

    @pytest.mark.parametrize(
        ("who", "body", "code"),
        [
            (bearer("window-clerk", division="140800000000"), FESTIVAL_YEAR, "wrong-role"),
            (bearer("operator", division="140802000000"), FESTIVAL_YEAR, "wrong-division"),
            (bearer("operator"), FESTIVAL_YEAR, "wrong-division"),
            (bearer("operator", division="140800000000"), {"days": []}, "invalid-request"),
        ],
    )
    async def test_refusals_write_and_tell_nothing(self, service, who, body, code):
        answer = await self.put(service, who, code="140881000000", body=body)
        assert answer.json()["code"] == code
        read = await service.client.get("/v1/calendar/2026/divisions/140881000000")
        assert (read.status_code, await service.events()) == (404, [])

    async def test_a_national_year_is_told_with_a_growing_revision(self, service):
        body = {"source": "国务院办公厅通知（测试）", "days": []}
        for _ in range(2):
            await service.client.put("/v1/calendar/2034", json=body, headers=bearer("operator"))
        revisions = [event["revision"] for _, event in await service.events()]
        assert revisions == [1, 2]

    async def test_years_recorded_before_anybody_was_told_are_told_once(self, service):
        async with service.database.transaction() as session:
            await session.execute(
                text("UPDATE calendar_year SET revision = 0 WHERE year IN (2025, 2026)")
            )
            assert await tell_untold_years(session) == 2
            assert await tell_untold_years(session) == 0
        assert [event["calendar_key"] for _, event in await service.events()] == [
            "CN:2025", "CN:2026",
        ]  # fmt: skip
