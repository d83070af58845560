"""Limits by division, lights, extensions, what is late, and the calendar they run by."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.requests import CalendarDay, CalendarYearRecorded
from servicekit.outbox import now
from servicekit.timers import Timers
from services.evaluation.calendar import service as calendars
from services.evaluation.calendar.rules import WorkingCalendar, local_day
from services.evaluation.models import RectificationState
from services.evaluation.rectifications.deadlines import TIMERS
from services.evaluation.rectifications.rules import Light, light
from tests.evaluation.factories import COUNTY, OTHER_UNIT, handler, open_matter, supervisor
from tests.support.tokens import resident

LIMITS = {
    "rectification_days": 7,
    "warn_days": 3,
    "fix_by_days": 10,
    "extension_days": 4,
    "extensions": 1,
    "call_back_within_days": 2,
    "source": "盐湖区好差评管理办法",
}
CITY = "140800000000"


async def set_limits(evaluation, division=COUNTY, *, version=0, headers=None, **values):
    return await evaluation.client.put(
        f"/v1/rectification-limits/{division}",
        json=LIMITS | values,
        headers=(headers or supervisor()) | {"If-Match": f'"{version}"'},
    )


async def run_timers(evaluation):
    await evaluation.fetch("UPDATE timer SET due_at = now() - interval '1 minute'")
    return await Timers(evaluation.database, TIMERS).run_due()


async def kinds(evaluation):
    return [kind.rpartition("evaluation.")[2] for kind, _ in await evaluation.events()]


def year(revision: int, *, division=None, days=(), number=2031) -> CalendarYearRecorded:
    return CalendarYearRecorded(
        calendar_key=f"{division or 'CN'}:{number}",
        division_code=division,
        year=number,
        ordered_by="国办发明电",
        provisional=False,
        days=tuple(CalendarDay(day=day, is_working=works, label="x") for day, works in days),
        revision=revision,
        recorded_at=now(),
    )


class TestCalendarByEvent:
    MONDAY, TUESDAY = date(2031, 6, 2), date(2031, 6, 3)

    async def test_newest_record_holds_whatever_the_order(self, evaluation):
        first = year(1, days=[(self.TUESDAY, False)])
        second = year(2, days=[(self.MONDAY, False)])
        try:
            async with evaluation.database.transaction() as session:
                assert await calendars.take_year(session, second)
                assert not await calendars.take_year(session, first)
                assert not await calendars.take_year(session, second)
                known = await calendars.calendar_of(session, date(2031, 1, 1), COUNTY)
            assert known.is_working(self.TUESDAY)
            assert not known.is_working(self.MONDAY)
        finally:
            await evaluation.fetch("DELETE FROM working_year WHERE year = 2031")
            await evaluation.fetch("DELETE FROM working_day WHERE day >= '2031-01-01'")

    async def test_a_division_changes_days_for_itself_and_those_below(self, evaluation):
        try:
            async with evaluation.database.transaction() as session:
                await calendars.take_year(session, year(1, days=[(self.MONDAY, False)]))
                own = [(self.MONDAY, True), (self.TUESDAY, False)]
                await calendars.take_year(session, year(1, division=COUNTY, days=own))
                here = await calendars.calendar_of(session, self.MONDAY, "140802001005")
                there = await calendars.calendar_of(session, self.MONDAY, "140803000000")
            assert (here.is_working(self.MONDAY), here.is_working(self.TUESDAY)) == (True, False)
            assert (there.is_working(self.MONDAY), there.is_working(self.TUESDAY)) == (False, True)
        finally:
            await evaluation.fetch("DELETE FROM working_year WHERE year = 2031")
            await evaluation.fetch("DELETE FROM working_day WHERE day >= '2031-01-01'")


class TestLimits:
    async def test_the_nearest_division_that_set_them(self, evaluation):
        shown = await evaluation.client.get(f"/v1/rectification-limits/{COUNTY}", headers=handler())
        assert (shown.json()["set_by"], shown.json()["rectification_days"]) == (None, 5)
        assert (await set_limits(evaluation, CITY, headers=supervisor(CITY))).status_code == 200
        matter = await open_matter(evaluation)
        [row] = await evaluation.fetch("SELECT * FROM rectification")
        assert row["limit_days"] == 7
        answer = await set_limits(evaluation, rectification_days=9)
        assert answer.headers["etag"] == '"1"'
        assert answer.json()["set_by"] == COUNTY
        assert (await matter.read()).json()["due_on"] == str(row["due_on"])  # its own limit stays
        second = await open_matter(evaluation)
        assert (await second.read()).json()["due_on"] > str(row["due_on"])

    async def test_refusals_write_nothing(self, evaluation):
        for headers, status in (
            (handler(), 403),
            (resident(), 403),
            (supervisor("140803000000"), 403),
        ):
            assert (await set_limits(evaluation, headers=headers)).status_code == status
        assert (await set_limits(evaluation, warn_days=7)).status_code == 422
        assert (await set_limits(evaluation, version=3)).status_code == 409
        path = f"/v1/rectification-limits/{COUNTY}"
        unread = await evaluation.client.put(path, json=LIMITS, headers=supervisor())
        assert unread.status_code == 428
        assert await evaluation.count("division_limits") == 0
        assert (await evaluation.client.get(path, headers=resident())).status_code == 403


class TestLights:
    @given(
        st.sampled_from(RectificationState),
        st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.integers(0, 10),
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.booleans(),
    )
    @settings(max_examples=60)
    def test_every_running_limit_has_exactly_one(self, state, due_on, warned, today, disputed):
        warn_on = due_on - timedelta(days=warned) if due_on else None
        shown = light(state, due_on, warn_on, today, is_disputed=disputed)
        runs = state.value in ("opened", "verified", "in-progress", "reopened")
        assert (shown is None) == (not runs or due_on is None or disputed)
        if shown is not None:
            assert (shown is Light.red) == (today > due_on)
            assert shown is not Light.green or today < warn_on

    async def test_work_lists_by_light(self, evaluation):
        late, near, early = [await open_matter(evaluation) for _ in range(3)]
        today = local_day(now())
        for matter, due, warn in ((late, -1, -3), (near, 1, 0), (early, 9, 7)):
            await evaluation.fetch(
                "UPDATE rectification SET due_on = $1, warn_on = $2 WHERE id = $3::text::uuid",
                today + timedelta(days=due),
                today + timedelta(days=warn),
                matter.id,
            )
        for colour, matter in (("red", late), ("yellow", near), ("green", early)):
            answer = await evaluation.client.get(
                f"/v1/rectifications?light={colour}", headers=supervisor()
            )
            [shown] = answer.json()["items"]
            assert (shown["id"], shown["light"]) == (matter.id, colour)


class TestExtension:
    async def test_a_supervisor_adds_working_days_once(self, evaluation):
        matter = await open_matter(evaluation)
        before = date.fromisoformat((await matter.read()).json()["due_on"])
        body = {"days": 3, "note": "需要等待上级部门的档案"}
        answer = await matter.act("extend", body, headers=matter.supervisor)
        assert answer.status_code == 200, answer.text
        async with evaluation.database.transaction() as session:
            known = await calendars.calendar_of(session, before, COUNTY)
        assert answer.json()["due_on"] == str(known.add(before, 3))
        assert (await kinds(evaluation))[-1] == "rectification-extended.v1"
        second = await matter.act("extend", body, headers=matter.supervisor)
        assert (second.status_code, second.json()["code"]) == (409, "no-extension-left")

    async def test_not_by_the_unit_not_too_long_not_too_late(self, evaluation):
        matter = await open_matter(evaluation)
        body = {"days": 3, "note": "人手不够"}
        assert (await matter.act("extend", body)).status_code == 403
        long = await matter.act("extend", body | {"days": 30}, headers=matter.supervisor)
        assert (long.status_code, long.json()["code"]) == (422, "extension-too-long")
        await evaluation.fetch("UPDATE rectification SET due_on = '2026-01-01'")
        late = await matter.act("extend", body, headers=matter.supervisor)
        assert (late.status_code, late.json()["code"]) == (409, "no-extension-left")
        assert await evaluation.count("rectification_step") == 0
        assert "rectification-extended.v1" not in await kinds(evaluation)


class TestEscalation:
    async def test_a_late_reply_goes_up_once(self, evaluation):
        matter = await open_matter(evaluation)
        await evaluation.fetch("UPDATE rectification SET due_on = '2026-01-01'")
        assert await run_timers(evaluation) == 1
        assert await run_timers(evaluation) == 0
        escalated = [body for kind, body in await evaluation.events() if "escalated" in kind]
        assert [body["late"] for body in escalated] == ["reply"]
        listed = await evaluation.client.get(
            "/v1/rectifications?escalated=true", headers=matter.supervisor
        )
        assert [item["is_escalated"] for item in listed.json()["items"]] == [True]
        shown = (await matter.read()).json()
        assert shown["history"][-1]["action"] == "escalate"
        assert shown["state"] == "opened"

    async def test_a_timer_that_comes_too_early_or_too_late_does_nothing(self, evaluation):
        await open_matter(evaluation)
        assert await run_timers(evaluation) == 1  # moved by hand: the limit has not passed
        replied = await open_matter(evaluation)
        await replied.reply()
        rows = await evaluation.fetch("SELECT kind FROM timer")
        assert [row["kind"] for row in rows] == ["call-back-due"]
        assert "rectification-escalated.v1" not in await kinds(evaluation)

    async def test_a_late_call_back_goes_up(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.reply()
        await evaluation.fetch("UPDATE rectification SET call_back_due_on = '2026-01-01'")
        assert await run_timers(evaluation) == 1
        kind, body = (await evaluation.events())[-1]
        assert (kind.endswith("escalated.v1"), body["late"]) == (True, "call-back")

    async def test_the_limit_of_a_reopened_matter_is_watched_again(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.reply()
        await matter.call_back(reached=True, solved=False)
        rows = await evaluation.fetch("SELECT kind FROM timer")
        assert [row["kind"] for row in rows] == ["rectification-overdue"]


class TestReopenedCases:
    async def test_not_solved_asks_requests_to_take_the_case_up_again(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.reply()
        await matter.call_back(reached=True, solved=False)
        asked = [body for kind, body in await evaluation.events() if "reopen-requested" in kind]
        assert [(body["case_id"], body["reason"]) for body in asked] == [
            (str(matter.case.event.case_id), "call-back")
        ]

    async def test_a_service_before_the_completion_asks_for_nothing(self, evaluation):
        matter = await open_matter(evaluation)
        await evaluation.fetch("UPDATE evaluable SET service_number = 2")
        await matter.reply()
        await matter.call_back(reached=True, solved=False)
        assert "case-reopen-requested.v1" not in await kinds(evaluation)


class TestCallBackMeasure:
    async def test_every_reply_must_be_called_back(self, evaluation):
        called, missed, waiting = [await open_matter(evaluation) for _ in range(3)]
        for matter in (called, missed, waiting):
            await matter.reply()
        await called.call_back(reached=True, solved=True)
        await missed.call_back(reached=False)
        today = local_day(now())
        path = f"/v1/rectifications/call-backs?first={today - timedelta(1)}&last={today}"
        answer = await evaluation.client.get(path, headers=supervisor())
        [unit] = answer.json()["items"]
        counts = ("replied", "called", "reached", "solved", "late")
        assert [unit[name] for name in counts] == [3, 2, 1, 1, 0]
        assert unit["call_back_ratio"] == pytest.approx(2 / 3)
        other = await evaluation.client.get(path, headers=handler(OTHER_UNIT))
        assert other.json()["items"] == []
        assert (await evaluation.client.get(path, headers=resident())).status_code == 403
        backwards = path.replace(f"last={today}", "last=2020-01-01")
        refused = await evaluation.client.get(backwards, headers=supervisor())
        assert refused.json()["code"] == "period-reversed"


@given(st.dates(date(2026, 3, 1), date(2026, 6, 1)), st.integers(0, 40))
@settings(max_examples=50)
def test_days_between_are_the_days_added(day, count):
    known = WorkingCalendar(frozenset({2026}), {date(2026, 5, 1): False, date(2026, 5, 9): True})
    assert known.between(day, known.add(day, count)) == count
