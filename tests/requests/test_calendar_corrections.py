"""Corrections of the calendar: open cases follow, in batches, and everybody is told."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import TimeUnit
from services.requests.cases import dates
from services.requests.cases.dates import follow_correction
from services.requests.cases.effects import NEAR, PASSED, SILENCE, Corrected, Dossier, moment_of
from services.requests.cases.effects.base import counted_from, days_paused
from services.requests.cases.effects.calendar import reschedule
from services.requests.clock.rules import LOCAL, WorkingCalendar, changed_days, end_of_day
from services.requests.clock.service import CORRECTION
from services.requests.models import CaseState, Light
from tests.requests.cases import Case
from tests.requests.factories import OTHER_COUNTY_VILLAGE, key, make_request
from tests.support.tokens import bearer, resident

TODAY = datetime.now(LOCAL).date()
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)  # a Monday
CLOSES = time(17, 30)
BEFORE = WorkingCalendar(frozenset({2026}))
WEEK = {date(2026, 3, day): False for day in range(9, 14)}
AFTER = WorkingCalendar(frozenset({2026}), WEEK)
ACT = Corrected(2026, "通知（测试）", date(2026, 3, 9), date(2026, 3, 13), CLOSES)


def a_case(**changes):
    values = {
        "id": uuid4(), "state": CaseState.accepted, "light": Light.green, "promised_days": 10,
        "promised_unit": "working-days", "extended_days": 0, "paused_days": 0, "paused_on": None,
        "remaining_days": None, "received_on": date(2026, 3, 2), "accepted_on": date(2026, 3, 2),
        "decided_on": None, "due_on": date(2026, 3, 16), "submitted_at": NOON,
    }  # fmt: skip
    return SimpleNamespace(**(values | changes))


def moved(case, calendar=AFTER, now=NOON, **beside):
    return reschedule(Dossier(case, **beside), ACT, moment_of(now, calendar, CLOSES, 10))


class TestChangedDays:
    def test_only_what_is_worked_otherwise(self):
        day, weekend = date(2026, 3, 9), date(2026, 3, 7)
        span = partial(changed_days, year=2026, is_national=True)
        assert span({}, {day: False}) == (day, day)
        assert span({day: False}, {day: False, weekend: False}) is None
        assert span({day: False, weekend: True}, {}) == (weekend, day)
        assert span(None, {}) == (date(2026, 1, 1), date(2026, 12, 31))
        local = partial(changed_days, year=2026, is_national=False)
        assert local(None, {weekend: False}) == (weekend, weekend)
        assert local(None, {}) is None


class TestReschedule:
    def test_a_later_date_with_its_timers_and_its_reason(self):
        effect = moved(a_case())
        assert effect.changes["due_on"] == date(2026, 3, 23)
        assert effect.timers[PASSED] == end_of_day(date(2026, 3, 23))
        assert NEAR in effect.timers
        assert effect.event_fields["former_due_on"] == date(2026, 3, 16)
        assert effect.note == "工作日历更正（通知（测试））：承诺办结日由2026-03-16改为2026-03-23"

    def test_what_does_not_touch_it_leaves_it(self):
        effect = moved(a_case(due_on=date(2026, 3, 6), promised_days=4))
        assert effect.event is None
        assert effect.changes["due_on"] == date(2026, 3, 6)

    def test_an_earlier_date_counts_unless_it_would_be_over(self):
        case = a_case(due_on=date(2026, 3, 23))
        assert moved(case, BEFORE).changes["due_on"] == date(2026, 3, 16)
        late = datetime(2026, 3, 18, 4, tzinfo=UTC)
        kept = moved(case, BEFORE, late)
        assert (kept.event, kept.changes["due_on"]) == (None, date(2026, 3, 23))

    def test_a_red_light_goes_out_when_the_limit_is_no_longer_over(self):
        late = datetime(2026, 3, 18, 4, tzinfo=UTC)
        effect = moved(a_case(light=Light.red), AFTER, late)
        assert effect.changes["light"] == Light.green
        assert PASSED in effect.timers

    def test_a_reminder_is_not_given_twice(self):
        at_the_end = datetime(2026, 3, 16, 4, tzinfo=UTC)
        effect = moved(a_case(light=Light.yellow), BEFORE, at_the_end)
        assert set(effect.timers) == {PASSED}

    def test_while_it_stands_still_what_is_left_is_counted_anew(self):
        case = a_case(
            state=CaseState.paused, due_on=None, paused_on=date(2026, 3, 11), remaining_days=3
        )
        effect = moved(case)
        assert effect.changes["remaining_days"] == 6  # 16 to 23 March
        assert effect.event_fields["former_due_on"] is None
        assert not effect.timers

    def test_pauses_that_are_over_are_counted_anew(self):
        pause = SimpleNamespace(
            number=1, started_on=date(2026, 3, 6), ended_on=date(2026, 3, 12), days=4
        )
        case = a_case(paused_days=4, due_on=date(2026, 3, 20))
        effect = moved(case, pauses=[pause])
        # Nothing of the pause is a working day now; the ten days are.
        assert effect.changes["paused_days"] == 0
        assert effect.changes["due_on"] == date(2026, 3, 23)
        assert [write.values for write in effect.writes] == [{"days": 0}]

    def test_silence_and_the_day_it_counts_from(self):
        case = a_case(
            state=CaseState.received, accepted_on=None, received_on=date(2026, 3, 9),
            due_on=date(2026, 3, 23), submitted_at=datetime(2026, 3, 6, 12, tzinfo=UTC),
        )  # fmt: skip
        weekend = datetime(2026, 3, 7, 4, tzinfo=UTC)
        effect = moved(case, AFTER, weekend)
        assert effect.changes["received_on"] == date(2026, 3, 16)
        assert effect.changes["due_on"] == date(2026, 3, 30)
        assert effect.timers[SILENCE] == end_of_day(date(2026, 3, 23))
        answered = SimpleNamespace(answered_at=datetime(2026, 3, 3, 2, tzinfo=UTC))
        on = date(2026, 3, 3)
        case = a_case(state=CaseState.received, accepted_on=None, received_on=on)
        effect = moved(case, notice=answered)
        assert effect.timers[SILENCE] == end_of_day(date(2026, 3, 17))
        awaited = a_case(state=CaseState.correcting, accepted_on=None, due_on=None)
        assert not moved(awaited).changes

    def test_a_pause_before_day_0_stretches_nothing(self):
        sunday, monday = date(2026, 3, 1), date(2026, 3, 2)
        case = a_case(accepted_on=monday)
        assert days_paused(case, BEFORE, sunday, monday) == 0
        assert days_paused(case, BEFORE, sunday, date(2026, 3, 4)) == 2
        assert counted_from(case, sunday) == monday

    @given(st.sets(st.integers(3, 80), max_size=30), st.integers(1, 40), st.integers(0, 60))
    def test_it_is_the_ledger_or_what_stood_and_nothing_becomes_overdue(self, off, days, later):
        changed = {date(2026, 3, 1) + timedelta(days=n): False for n in off}
        calendar = WorkingCalendar(frozenset({2026}), changed)
        start = date(2026, 3, 2)
        former = BEFORE.add(start, days, TimeUnit.working_days)
        now = NOON + timedelta(days=later)
        case = a_case(promised_days=days, due_on=former)
        act = Corrected(2026, "通知（测试）", date(2026, 3, 1), date(2026, 6, 1), CLOSES)
        effect = reschedule(Dossier(case), act, moment_of(now, calendar, CLOSES, 10))
        due = effect.changes["due_on"]
        assert due in (calendar.add(start, days, TimeUnit.working_days), former)
        assert due >= former  # days were only taken away
        assert (effect.event is None) == (due == former)
        if former >= now.date():
            assert due >= now.date()


class TestFollowing:
    """Through the endpoint, the timer and the engine."""

    @pytest.fixture(autouse=True)
    async def as_before(self, service):
        yield
        for division in ("140802000000", "140821000000"):
            await self.correct(service, [], division=division)
        await service.app.state.reference.refresh()

    async def correct(self, service, days, *, year=None, division=None):
        path = f"/v1/calendar/{year or TODAY.year}"
        body = {"source": "国务院办公厅通知（测试）", "days": days}
        who = bearer("operator")
        if division:
            path += f"/divisions/{division}"
            who = bearer("operator", division=division)
        answer = await service.client.put(path, json=body, headers=who)
        assert answer.status_code == 200, answer.text

    async def follow(self, service) -> int:
        """Fire the timer until it does not come again; return how often."""
        fired = 0
        while True:
            due = await service.fetch("SELECT subject_id FROM timer WHERE kind = $1", CORRECTION)
            if not due:
                return fired
            for row in due:
                await service.fetch(
                    "DELETE FROM timer WHERE kind = $1 AND subject_id = $2 RETURNING 1",
                    CORRECTION,
                    row["subject_id"],
                )
                async with service.database.transaction() as session:
                    await follow_correction(CLOSES, session, row["subject_id"])
                fired += 1

    async def rescheduled(self, service):
        return [body for type_, body in await service.events() if "rescheduled" in type_]

    def holidays(self, case_row):
        """Two working days off within the promise, as a division's own."""
        first = max(case_row["received_on"], TODAY) + timedelta(days=1)
        found: list[dict[str, object]] = []
        day = first
        while len(found) < 2:
            if day.weekday() < 5 and day.year == TODAY.year:
                found.append({"day": day.isoformat(), "is_working": False, "note": "本地"})
            day += timedelta(days=1)
        return found

    async def test_an_open_case_follows_and_everybody_sees_it(self, service, case):
        await case.done(case.clerk, "accept")
        before = await case.row()
        await self.correct(service, self.holidays(before), division="140802000000")
        assert await self.follow(service) == 1
        after = await case.row()
        assert after["due_on"] > before["due_on"]
        assert after["version"] == before["version"] + 1
        [event] = await self.rescheduled(service)
        assert event["former_due_on"] == before["due_on"].isoformat()
        assert event["due_on"] == after["due_on"].isoformat()
        read = (await case.read(case.applicant)).json()
        entry = read["history"][-1]
        assert (entry["action"], entry["actor_name"]) == ("reschedule", None)
        assert str(before["due_on"]) in entry["note"]
        listed = await service.client.get("/v1/cases", headers=case.handler)
        assert listed.json()["items"][0]["due_on"] == after["due_on"].isoformat()
        timers = await service.fetch(
            "SELECT kind, due_at FROM timer WHERE subject_id = $1", UUID(case.id)
        )
        assert {row["kind"]: row["due_at"] for row in timers}[PASSED] == end_of_day(after["due_on"])
        # Taken back, it stands as it was.
        await self.correct(service, [], division="140802000000")
        await self.follow(service)
        assert (await case.row())["due_on"] == before["due_on"]

    async def test_a_stale_version_is_told(self, service, case):
        await case.done(case.clerk, "accept")
        await self.correct(service, self.holidays(await case.row()), division="140802000000")
        await self.follow(service)
        assert (await case.refused(case.handler, "decide", granted=True)) == (409, "stale-version")

    async def test_finished_cases_and_other_divisions_stay(self, service, case):
        await case.done(case.clerk, "accept")
        before = await case.row()
        await self.correct(service, self.holidays(before), division="140821000000")
        await self.follow(service)
        assert await case.row() == before
        await case.done(case.applicant, "withdraw")
        before = await case.row()
        await self.correct(service, self.holidays(before), division="140802000000")
        await self.follow(service)
        assert await case.row() == before
        assert await self.rescheduled(service) == []

    async def test_many_follow_in_batches_each_once(self, service, case, monkeypatch):
        monkeypatch.setattr(dates, "BATCH", 2)
        for _ in range(4):
            await service.client.post(
                "/v1/requests", json=make_request(), headers=resident() | key()
            )
        await self.correct(service, self.holidays(await case.row()), division="140802000000")
        assert await self.follow(service) == 3
        assert len(await self.rescheduled(service)) == 5
        [row] = await service.fetch("SELECT moved, finished_at FROM calendar_correction")
        assert row["moved"] == 5
        assert row["finished_at"] is not None

    async def test_recording_a_year_gives_waiting_cases_their_date(self, service, case):
        await service.fetch("UPDATE service_case SET due_on = NULL, version = 1 RETURNING 1")
        await self.correct(service, [], year=2031)
        await self.follow(service)
        row = await case.row()
        assert row["due_on"] is not None
        [event] = await self.rescheduled(service)
        assert event["former_due_on"] is None
        assert "承诺办结日定为" in (await case.read(case.applicant)).json()["history"][-1]["note"]

    async def test_the_same_again_moves_nothing(self, service, case):
        year = TODAY.year
        known = (await service.client.get(f"/v1/calendar/{year}")).json()["days"]
        await self.correct(service, known)
        assert await service.count("calendar_correction") == 0
        assert OTHER_COUNTY_VILLAGE  # another county is asked for above

    @pytest.mark.parametrize("light", list(Light))
    async def test_lights_follow(self, service, case: Case, light):
        await case.done(case.clerk, "accept")
        await service.fetch("UPDATE service_case SET light = $1 RETURNING 1", light)
        await self.correct(service, self.holidays(await case.row()), division="140802000000")
        await self.follow(service)
        assert (await case.row())["light"] == Light.green
