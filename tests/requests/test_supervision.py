"""Limits seen and enforced: orders and their escalation, lights, thresholds, and what residents see."""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.requests.cases.progress import usual_of
from services.requests.cases.timers import deadline_near, deadline_passed, promise_broken
from services.requests.clock.policies import ClockPolicy, Policies, light_of, yellow_from
from services.requests.clock.rules import WorkingCalendar
from services.requests.models import Light
from services.requests.supervision.service import reply_due
from tests.requests.cases import HANDLER, HEALTH
from tests.requests.factories import key
from tests.support.tokens import bearer, resident

WHAT = {"what": "请说明办理进展"}
CALENDAR = WorkingCalendar(frozenset({2026}))


class TestOrders:
    async def issued(self, case, who=None, **more):
        return await case.service.client.post(
            f"/v1/cases/{case.id}/supervision-orders",
            json=WHAT,
            headers=(who or case.supervisor) | more.pop("headers", {}),
        )

    async def test_ordered_by_a_supervisor_and_answered_by_the_unit(self, case):
        answer = await self.issued(case)
        assert answer.status_code == 201, answer.text
        order = answer.json()
        assert order["reply_by"]
        assert (await case.last_event())[0] == "supervision-ordered"
        assert (await self.issued(case)).json()["code"] == "supervision-order-open"
        path = f"/v1/supervision-orders/{order['id']}/replies"
        client, body = case.service.client, {"reply": "材料已核实，三日内办结"}
        other = bearer("handler", division="140802000000", unit=HEALTH)
        assert (await client.post(path, json=body, headers=other)).json()["code"] == "wrong-unit"
        first = await client.post(path, json=body, headers=case.handler)
        assert first.status_code == 204
        again = await client.post(path, json=body, headers=case.handler)
        assert again.json()["code"] == "supervision-order-answered"
        kind, event = await case.last_event()
        assert (kind, event["is_late"]) == ("supervision-answered", False)
        for who in (case.supervisor, case.handler):
            listed = await client.get("/v1/supervision-orders?state=answered", headers=who)
            assert [each["reply"] for each in listed.json()["items"]] == [body["reply"]]
        none = await client.get("/v1/supervision-orders?state=open", headers=case.handler)
        assert none.json()["items"] == []

    async def test_unanswered_it_goes_up_level_by_level_and_is_late(self, case):
        order = (await self.issued(case)).json()
        order_id = UUID(order["id"])
        for level in (2, 3):
            await case.fire(reply_due, order_id)
            kind, event = await case.last_event()
            assert (kind, event["level"]) == ("supervision-ordered", level)
        await case.fire(reply_due, order_id)
        [row] = await case.service.fetch("SELECT state, level FROM supervision_order")
        assert (row["state"], row["level"]) == ("exhausted", 3)
        await case.service.client.post(
            f"/v1/supervision-orders/{order_id}/replies",
            json={"reply": "现予说明"},
            headers=case.handler,
        )
        assert (await case.last_event())[1]["is_late"] is True

    async def test_the_clock_orders_too_once_for_each_cause(self, case):
        await case.done(case.clerk, "accept")
        for _ in range(2):
            await case.fire(deadline_passed)
        await case.done(case.handler, "decide", granted=True)
        await case.fire(promise_broken)
        rows = await case.service.fetch("SELECT cause FROM supervision_order ORDER BY id")
        assert [row["cause"] for row in rows] == ["overdue", "delivery"]

    async def test_two_at_once_make_one_order_and_a_repeat_none(self, case):
        headers = key()
        answers = await asyncio.gather(*(self.issued(case) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        await case.service.fetch("DELETE FROM supervision_order")
        first = await self.issued(case, headers=headers)
        second = await self.issued(case, headers=headers)
        assert first.content == second.content

    async def test_who_may_not_and_when_not(self, case):
        for who, status in (
            (bearer("supervisor", division="140821000000"), 403),
            (case.handler, 403),
            (resident(), 403),
            ({}, 401),
        ):
            assert (await self.issued(case, who=who or {"X": "y"})).status_code == status
        await case.done(case.applicant, "withdraw")
        assert (await self.issued(case)).json()["code"] == "case-over"
        unknown = f"/v1/supervision-orders/{uuid4()}/replies"
        answer = await case.service.client.post(
            unknown, json={"reply": "没有这张"}, headers=case.handler
        )
        assert answer.json()["code"] == "supervision-order-not-found"
        assert await case.service.count("supervision_order") == 0


class TestLights:
    @settings(max_examples=60)
    @given(st.dates(date(2026, 3, 1), date(2026, 11, 1)), st.integers(0, 10))
    def test_yellow_begins_when_so_many_working_days_are_left(self, due_on, yellow_days):
        due_on = CALENDAR.at_or_after(due_on)
        policy = ClockPolicy(yellow_days=yellow_days)
        first = yellow_from(CALENDAR, policy, due_on)
        left = CALENDAR.count_between(first - timedelta(days=1), due_on)
        assert left == max(yellow_days, 0) or (yellow_days == 0 and first == due_on)
        assert light_of(CALENDAR, policy, due_on, due_on + timedelta(days=1)) is Light.red
        assert light_of(CALENDAR, policy, due_on, first) is Light.yellow
        assert light_of(CALENDAR, policy, due_on, first - timedelta(days=1)) is Light.green
        assert light_of(CALENDAR, policy, None, due_on) is Light.green

    def test_the_nearest_division_s_thresholds_hold(self):
        own = ClockPolicy(yellow_days=5)
        policies = Policies({"140800000000": ClockPolicy(yellow_days=3), "140802000000": own})
        assert policies.of("140802001001") is own
        assert policies.of("140821100200").yellow_days == 3
        assert policies.of("110101001001") == ClockPolicy()

    async def test_timers_turn_the_light(self, case):
        await case.done(case.clerk, "accept")
        for handler, light in ((deadline_near, "yellow"), (deadline_passed, "red")):
            await case.fire(handler)
            assert (await case.row())["light"] == light

    async def test_set_by_a_supervisor_of_the_division(self, case):
        client, path = case.service.client, "/v1/clock-policies/140802000000"
        body = {"yellow_days": 4, "reply_days": [3, 2]}
        for who, code in (
            (bearer("supervisor", division="140821000000"), "wrong-division"),
            (case.handler, "wrong-role"),
            (resident(), "wrong-role"),
        ):
            assert (await client.put(path, json=body, headers=who)).json()["code"] == code
        bad = await client.put(path, json={**body, "reply_days": []}, headers=case.supervisor)
        assert bad.status_code == 422
        assert await case.service.count("clock_policy") == 0
        assert (await client.put(path, json=body, headers=case.supervisor)).status_code == 200
        await case.service.app.state.reference.refresh()
        read = await client.get("/v1/clock-policies/140802001001", headers=case.handler)
        assert read.json() == body


class TestClockOfACase:
    async def clock(self, case, who=None):
        return await case.service.client.get(
            f"/v1/cases/{case.id}/clock", headers=who or case.applicant
        )

    async def test_promised_stopped_and_usual(self, case):
        await case.done(case.clerk, "request-correction", missing=["残疾人证复印件"])
        clock = (await self.clock(case)).json()
        assert clock["stopped"]["reason"] == "等待申请人补正：残疾人证复印件"
        assert clock["due_on"] is None
        await case.done(case.applicant, "answer-correction")
        await case.done(case.clerk, "accept")
        clock = (await self.clock(case)).json()
        assert clock["remaining_days"] == 20
        assert (clock["stopped"], clock["usual"]) == (None, None)
        await case.done(
            case.handler, "pause", procedure="hearing", reason="依法举行听证", expected_days=9
        )
        clock = (await self.clock(case)).json()
        assert (clock["stopped"]["procedure"], clock["due_on"]) == ("hearing", None)
        assert clock["remaining_days"] == 20
        await case.done(case.handler, "resume", outcome="听证结束")
        await case.done(case.handler, "decide", granted=True)
        await case.done(case.handler, "complete", result_code=0)
        clock = (await self.clock(case)).json()
        assert clock["usual"] == {"cases": 1, "p50_days": 0, "p90_days": 0}
        assert clock["remaining_days"] is None

    async def test_not_for_others(self, case):
        assert (await self.clock(case, resident())).status_code == 403
        elsewhere = bearer("handler", division="140821000000", unit="140821000000:health")
        assert (await self.clock(case, elsewhere)).json()["code"] == "wrong-division"
        assert (await self.clock(case, bearer("handler", **HANDLER))).status_code == 200

    @given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
    def test_percentiles_are_those_of_a_recount(self, took):
        ranked = sorted(took)
        usual = usual_of([(days, ranked.count(days)) for days in sorted(set(took))])
        assert usual is not None
        assert usual.p50_days == ranked[-(-len(took) * 50 // 100) - 1]
        assert usual.p90_days == ranked[-(-len(took) * 90 // 100) - 1]


class TestCalendarSheets:
    CSV = "日期,是否上班,名称\n2036/10/01,否,国庆节\n2036-10-11,是,调休上班\n"

    async def send(self, service, content, who=None, kind="text/csv", year=2036, **query):
        return await service.client.post(
            f"/v1/calendar/{year}/sheets",
            params={"source": "国务院办公厅通知（测试）"} | query,
            content=content.encode("gb18030") if isinstance(content, str) else content,
            headers=(who or bearer("operator", division="140000000000")) | {"Content-Type": kind},
        )

    async def test_a_sheet_becomes_a_year(self, service):
        answer = await self.send(service, self.CSV)
        assert answer.status_code == 200, answer.text
        assert [(day["day"], day["is_working"]) for day in answer.json()["days"]] == [
            ("2036-10-01", False), ("2036-10-11", True),
        ]  # fmt: skip
        assert len(await service.events()) == 1
        local = await self.send(service, self.CSV, division_code="140883000000")
        assert local.json()["division_code"] == "140883000000"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ("日期,是否上班\n2037-13-01,是\n", "sheet-invalid"),
            ("日期,是否上班\n2037-01-01,也许\n", "sheet-invalid"),
            ("日期,是否上班\n2038-01-01,否\n", "day-outside-year"),
            ("", "sheet-unreadable"),
        ],
    )
    async def test_bad_sheets_change_nothing(self, service, content, code):
        answer = await self.send(service, content, year=2037)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert (await service.client.get("/v1/calendar/2037")).status_code == 404
        assert await service.events() == []

    async def test_only_the_operator_and_only_sheets(self, service):
        clerk = await self.send(service, self.CSV, bearer("window-clerk"), year=2037)
        assert clerk.status_code == 403
        json = await self.send(service, "{}", kind="application/json", year=2037)
        assert json.status_code == 415
