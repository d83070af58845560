from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.envelope import Envelope
from contracts.requests import CalendarDay, CalendarYearRecorded
from servicekit.outbox import now
from services.facilities.hours.calendar import keep_year
from services.facilities.hours.rules import LOCAL, WEEKDAYS
from tests.facilities.factories import COUNTY, OTHER_COUNTY, manager, recorded
from tests.support.tokens import resident

MONDAY = "2026-12-21"


async def opening(facilities, body, at=None):
    query = {"at": at} if at else {}
    answer = await facilities.client.get(f"/v1/facilities/{body['id']}/opening", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def set_exception(
    facilities, body, day, *, version, headers=None, intervals=(), reason="元旦"
):
    return await facilities.client.put(
        f"/v1/facilities/{body['id']}/hours-exceptions/{day}",
        json={"intervals": list(intervals), "reason": reason},
        headers=(headers or manager()) | {"If-Match": f'"{version}"'},
    )


class TestOpening:
    async def test_in_the_break(self, facilities):
        body = await recorded(facilities)
        answer = await opening(facilities, body, f"{MONDAY}T13:00")
        assert answer == {
            "facility_id": body["id"],
            "at": f"{MONDAY}T13:00:00+08:00",
            "is_open": False,
            "because": "weekly-hours",
            "next_change_at": f"{MONDAY}T14:00:00+08:00",
            "last_entry_at": None,
            "today": [
                {"opens": "08:30", "closes": "12:00"},
                {"opens": "14:00", "closes": "18:30"},
            ],
            "note": None,
        }

    @pytest.mark.parametrize("at", ["2026-12-21T09:00:00+08:00", "2026-12-21T01:00:00Z"])
    async def test_times_with_an_offset_are_read_as_local_time(self, facilities, at):
        body = await recorded(facilities)
        answer = await opening(facilities, body, at)
        assert answer["is_open"] is True
        assert answer["at"] == f"{MONDAY}T09:00:00+08:00"

    async def test_without_a_time_it_is_now(self, facilities):
        all_day = [{"opens": "00:00", "closes": "24:00"}]
        always = dict.fromkeys(WEEKDAYS, all_day)
        body = await recorded(facilities, weekly_hours=always)
        answer = await opening(facilities, body)
        assert (answer["is_open"], answer["next_change_at"]) == (True, None)
        assert answer["today"] == [{"opens": "00:00", "closes": "24:00"}]

    async def test_hours_nobody_recorded_are_unknown_and_not_closed(self, facilities):
        body = await recorded(facilities, weekly_hours=None)
        answer = await opening(facilities, body, f"{MONDAY}T09:00")
        assert (answer["is_open"], answer["because"]) == (None, "hours-unknown")

    @pytest.mark.parametrize("state", ["planned", "building", "repair", "closed"])
    async def test_a_place_out_of_operation_is_closed(self, facilities, state):
        body = await recorded(facilities, state=state)
        answer = await opening(facilities, body, f"{MONDAY}T09:00")
        assert (answer["is_open"], answer["because"], answer["next_change_at"]) == (
            False, "not-in-operation", None,
        )  # fmt: skip

    async def test_an_unknown_place(self, facilities):
        answer = await facilities.client.get(f"/v1/facilities/{uuid4()}/opening")
        assert answer.json()["code"] == "facility-not-found"

    async def test_no_time(self, facilities):
        body = await recorded(facilities)
        answer = await facilities.client.get(f"/v1/facilities/{body['id']}/opening?at=noon")
        assert answer.status_code == 422

    @pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:00"])
    async def test_the_ends_of_time(self, facilities, at):
        body = await recorded(facilities)
        answer = await facilities.client.get(f"/v1/facilities/{body['id']}/opening?at={at}")
        assert answer.status_code == 422


class TestExceptions:
    async def test_a_day_out_of_reach(self, facilities):
        body = await recorded(facilities)
        for day in ("0001-01-01", "9999-12-31", "2026-02-30"):
            assert (await set_exception(facilities, body, day, version=1)).status_code == 422
        url = f"/v1/facilities/{body['id']}/hours-exceptions"
        for after in ("WyI5OTk5LTEyLTMxIl0", "WzFd", "AAAA"):
            answer = await facilities.client.get(url, params={"after": after})
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    async def test_a_holiday_is_closed_and_says_why(self, facilities):
        body = await recorded(facilities)
        answer = await set_exception(facilities, body, MONDAY, version=1, reason="装修")
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        found = await opening(facilities, body, f"{MONDAY}T09:00")
        assert (found["is_open"], found["because"], found["note"]) == (False, "exception", "装修")
        assert found["next_change_at"] == "2026-12-22T08:30:00+08:00"
        assert [event["version"] for _, event in await facilities.events()] == [1, 2]
        [row] = await facilities.fetch(
            "SELECT action, note FROM facility_history WHERE version = 2"
        )
        assert tuple(row) == ("set-hours-of-day", f"{MONDAY} 装修")

    async def test_a_sunday_may_be_worked(self, facilities):
        body = await recorded(facilities)
        morning = [{"opens": "09:00", "closes": "11:30"}]
        await set_exception(
            facilities, body, "2026-12-27", version=1, intervals=morning, reason="调休上班"
        )
        found = await opening(facilities, body, "2026-12-27T10:00")
        assert (found["is_open"], found["today"]) == (True, morning)

    async def test_a_second_one_takes_the_place_of_the_first(self, facilities):
        body = await recorded(facilities)
        await set_exception(facilities, body, MONDAY, version=1)
        await set_exception(facilities, body, MONDAY, version=2, reason="停电")
        assert await facilities.count("hours_exception") == 1
        found = await opening(facilities, body, f"{MONDAY}T09:00")
        assert found["note"] == "停电"

    async def test_it_can_be_taken_back(self, facilities):
        body = await recorded(facilities)
        await set_exception(facilities, body, MONDAY, version=1)
        url = f"/v1/facilities/{body['id']}/hours-exceptions/{MONDAY}"
        answer = await facilities.client.delete(url, headers=manager() | {"If-Match": '"2"'})
        assert (answer.status_code, answer.json()["version"]) == (200, 3)
        found = await opening(facilities, body, f"{MONDAY}T09:00")
        assert found["because"] == "weekly-hours"
        again = await facilities.client.delete(url, headers=manager() | {"If-Match": '"3"'})
        assert again.json()["code"] == "hours-exception-not-found"
        assert len(await facilities.events()) == 3

    async def test_the_coming_ones_are_listed_in_order(self, facilities):
        body = await recorded(facilities)
        today = now().astimezone(LOCAL).date()
        days = [today + timedelta(days=ahead) for ahead in (30, 0, 7, -1)]
        for version, day in enumerate(days, start=1):
            await set_exception(facilities, body, day.isoformat(), version=version)
        url = f"/v1/facilities/{body['id']}/hours-exceptions"
        first = (await facilities.client.get(f"{url}?limit=2")).json()
        assert [entry["day"] for entry in first["items"]] == [
            days[1].isoformat(), days[2].isoformat(),
        ]  # fmt: skip
        rest = (await facilities.client.get(f"{url}?limit=2&after={first['next']}")).json()
        assert [entry["day"] for entry in rest["items"]] == [days[0].isoformat()]
        assert rest["next"] is None

    @pytest.mark.parametrize(
        ("intervals", "reason", "path"),
        [
            ([{"opens": "12:00", "closes": "09:00"}], "元旦", "/intervals"),
            ([{"opens": "09:00"}], "元旦", "/intervals/0/closes"),
            ([], "", "/reason"),
        ],
    )
    async def test_bad_hours_are_refused(self, facilities, intervals, reason, path):
        body = await recorded(facilities)
        answer = await set_exception(
            facilities, body, MONDAY, version=1, intervals=intervals, reason=reason
        )
        assert answer.status_code == 422
        assert [error["path"] for error in answer.json()["errors"]] == [path]
        assert await facilities.count("hours_exception") == 0

    async def test_who_may_not(self, facilities):
        body = await recorded(facilities)
        for headers, code in [
            (manager(OTHER_COUNTY), "wrong-division"),
            (resident(), "wrong-role"),
        ]:
            answer = await set_exception(facilities, body, MONDAY, version=1, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        stale = await set_exception(facilities, body, MONDAY, version=5)
        assert stale.json()["code"] == "stale-version"
        assert await facilities.count("hours_exception") == 0
        assert len(await facilities.events()) == 1


class TestCalendar:
    """Holidays and 调休 come by event; a division's own calendar changes days of the country's."""

    POLICY = {"holidays": "closed", "make_up_days": "as-weekday"}  # noqa: RUF012 - a constant

    async def deliver(self, facilities, *, division=None, revision=1, days=(), year=2026):
        event = CalendarYearRecorded(
            calendar_key=f"{division or 'CN'}:{year}",
            division_code=division,
            year=year,
            ordered_by="通知",
            provisional=False,
            days=[
                CalendarDay(day=day, is_working=works, label=label) for day, works, label in days
            ],
            revision=revision,
            recorded_at=now(),
        )
        envelope = Envelope(uuid4(), event.event_type, event.source, event.key, now())
        for _ in range(2):
            async with facilities.database.transaction() as session:
                await keep_year(session, event, envelope)

    async def test_a_year_nobody_recorded_is_not_guessed(self, facilities):
        body = await recorded(facilities, holiday_policy=self.POLICY)
        answer = await opening(facilities, body, f"{MONDAY}T09:00")
        assert (answer["is_open"], answer["because"]) == (None, "calendar-unknown")

    async def test_the_newest_calendar_of_the_nearest_division_counts(self, facilities):
        body = await recorded(facilities, holiday_policy=self.POLICY)
        as_usual = await recorded(facilities, name="照常开放的中心")
        await self.deliver(
            facilities, revision=2, days=[(MONDAY, False, "假日"), ("2026-12-20", True, "调休上班")]
        )
        await self.deliver(facilities, revision=1)
        holiday = await opening(facilities, body, f"{MONDAY}T09:00")
        assert (holiday["is_open"], holiday["because"], holiday["note"]) == (
            False, "holiday", "假日",
        )  # fmt: skip
        assert holiday["next_change_at"] == "2026-12-22T08:30:00+08:00"
        assert (await opening(facilities, as_usual, f"{MONDAY}T09:00"))["is_open"] is True
        sunday = await opening(facilities, body, "2026-12-20T09:00")
        assert (sunday["is_open"], sunday["because"]) == (True, "make-up-day")
        await self.deliver(facilities, division=OTHER_COUNTY, days=[(MONDAY, True, "不相干")])
        assert (await opening(facilities, body, f"{MONDAY}T09:00"))["is_open"] is False
        await self.deliver(facilities, division=COUNTY, days=[(MONDAY, True, "本县照常")])
        assert (await opening(facilities, body, f"{MONDAY}T09:00"))["is_open"] is True
