from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import AdmissionRecorded
from services.requests.triage.consumers import keep_admission
from services.requests.triage.rules import (
    Admission,
    Ground,
    TriageClass,
    receiving_unit,
    triage,
    unit_above,
)
from services.requests.triage.service import VillageMayNotReceive, ensure_may_receive
from tests.requests.cases import Case
from tests.requests.conftest import deliver
from tests.requests.factories import (
    ITEM_CODE,
    TOWNSHIP_WINDOW,
    VILLAGE,
    key,
    make_item,
    make_request,
)
from tests.support.tokens import bearer, resident

DAY = date(2026, 11, 22)
COUNTY = "140802000000"
VILLAGE_UNIT = f"{VILLAGE}:village-committee"


def verdict(
    *admissions, name="困难残疾人生活补贴", task_type="05", kind="government-public", day=DAY
):
    return triage(
        name=name,
        task_type=task_type,
        triage_class=kind,
        division_code=VILLAGE,
        admissions=admissions,
        day=day,
    )


def admission(division_code=COUNTY, first=DAY, last=DAY):
    return Admission(ITEM_CODE, division_code, first, last)


class TestRules:
    def test_a_department_hands_nothing_to_a_village_unasked(self):
        assert verdict().ground is Ground.not_admitted
        assert "没有准入" in verdict().reason

    def test_an_admission_opens_its_county_for_its_days(self):
        assert verdict(admission()).ground is Ground.admitted
        assert verdict(admission(last=None)).village_may_receive
        assert not verdict(admission(division_code="140821000000")).village_may_receive
        for off in (DAY - timedelta(days=1), DAY + timedelta(days=1)):
            assert not verdict(admission(), day=off).village_may_receive

    def test_the_villages_own_affairs_and_personal_ones_need_none(self):
        assert verdict(kind="village-public").ground is Ground.own_affair
        assert verdict(kind="villager-personal").ground is Ground.personal_affair

    @pytest.mark.parametrize(
        ("name", "task_type"),
        [
            ("道路运输行政处罚", "02"),
            ("强制拆除", "03"),
            ("征收社会抚养费", "04"),
            ("食品安全监督检查", "06"),
            ("房屋拆迁补偿协议签订", "20"),
            ("违法建设拆违", "10"),
            ("村级招商引资任务", "20"),
            ("安全生产巡查责任", "20"),
            ("燃气行政执法协助", "20"),
        ],
    )
    @pytest.mark.parametrize("kind", list(TriageClass))
    def test_forbidden_kinds_never(self, name, task_type, kind):
        found = verdict(admission(), name=name, task_type=task_type, kind=kind)
        assert found.ground is Ground.forbidden_kind
        assert not found.village_may_receive

    @settings(max_examples=60)
    @given(
        kind=st.sampled_from(list(TriageClass)),
        task_type=st.sampled_from(["01", "02", "05", "06", "20"]),
        days=st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), max_size=3),
        department=st.sampled_from(["village-committee", "civil-affairs"]),
        above=st.booleans(),
    )
    def test_a_village_unit_only_receives_what_it_may(
        self, kind, task_type, days, department, above
    ):
        admissions = [
            admission(first=DAY + timedelta(days=first), last=DAY + timedelta(days=last))
            for first, last in days
        ]
        found = verdict(*admissions, kind=kind, task_type=task_type)
        units = {TOWNSHIP_WINDOW} if above else set()
        unit = receiving_unit(f"{VILLAGE}:{department}", found, units)
        if found.village_may_receive:
            assert unit == f"{VILLAGE}:{department}"
        else:
            assert unit == (TOWNSHIP_WINDOW if above else None)

    def test_units_above_the_village_are_left_alone(self):
        for unit in (TOWNSHIP_WINDOW, f"{COUNTY}:civil-affairs"):
            assert receiving_unit(unit, verdict(), ()) == unit

    def test_what_a_village_cannot_carry_goes_to_its_township(self):
        assert unit_above(VILLAGE_UNIT, {TOWNSHIP_WINDOW}) == TOWNSHIP_WINDOW
        assert unit_above(VILLAGE_UNIT, ()) is None


def make_admission(**overrides):
    values = {
        "admission_key": "admission:1",
        "admission_id": uuid4(),
        "version": 1,
        "kind": "item",
        "name": "困难残疾人生活补贴",
        "item_id": uuid4(),
        "item_code": "provisional:admitted",
        "division_code": COUNTY,
        "department": "civil-affairs",
        "approval_number": "盐政办〔2026〕1号",
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2099, 12, 31),
        "state": "admitted",
        "recorded_at": datetime.now(UTC),
    }
    return AdmissionRecorded.model_validate(values | overrides)


class TestAdmissionRecorded:
    def held(self, service, item_code="provisional:admitted"):
        return service.app.state.reference.value.admissions.get(item_code, ())

    async def test_kept_once_and_ended(self, service):
        event = make_admission()
        await deliver(service, keep_admission, event)
        await deliver(service, keep_admission, event)
        assert len(self.held(service)) == 1
        ended = event.model_copy(update={"version": 2, "state": "ended"})
        await deliver(service, keep_admission, ended)
        assert self.held(service) == ()

    async def test_an_older_state_that_comes_late_changes_nothing(self, service):
        event = make_admission(version=3, state="expired")
        await deliver(service, keep_admission, event)
        late = event.model_copy(update={"version": 2, "state": "admitted"})
        await deliver(service, keep_admission, late)
        assert self.held(service) == ()

    async def test_forms_and_assessments_are_not_kept(self, service):
        await deliver(
            service, keep_admission, make_admission(kind="form", item_id=None, item_code=None)
        )
        assert await service.count("item_admission") == 0

    async def test_a_village_is_handed_an_item_only_while_it_is_admitted(self, service):
        item = make_item(item_code="provisional:admitted")
        reference = service.app.state.reference
        with pytest.raises(VillageMayNotReceive, match="没有准入"):
            ensure_may_receive(reference.value, item, VILLAGE_UNIT)
        ensure_may_receive(reference.value, item, TOWNSHIP_WINDOW)
        with pytest.raises(VillageMayNotReceive):  # while the copy of items is being rebuilt
            ensure_may_receive(reference.value, None, VILLAGE_UNIT)
        ensure_may_receive(reference.value, None, TOWNSHIP_WINDOW)
        await deliver(service, keep_admission, make_admission())
        ensure_may_receive(reference.value, item, VILLAGE_UNIT)


class TestPassingUp:
    """What a village cannot carry goes to its township, with the reason (P4)."""

    async def case_in_the_village(self, service):
        me = uuid4()
        answer = await service.client.post(
            "/v1/requests", json=make_request(), headers=resident(me) | key()
        )
        case = Case(service, me, answer.json())
        await service.fetch(
            "UPDATE service_case SET unit_code = $1, unit_name = '中城社区' RETURNING id",
            VILLAGE_UNIT,
        )
        return case

    def agent(self, unit=VILLAGE_UNIT):
        return bearer("village-agent", division=VILLAGE, unit=unit, name="周代办")

    async def test_the_villages_agent_passes_it_up_with_a_reason(self, service):
        case = await self.case_in_the_village(service)
        await case.done(self.agent(), "hand-up", reason="需要上门评估，村里没有人员")
        row = await case.row()
        assert (row["unit_code"], row["state"]) == (TOWNSHIP_WINDOW, "received")
        kind, body = await case.last_event()
        assert (kind, body["from_unit_code"]) == ("case-transferred", VILLAGE_UNIT)
        [entry] = await service.fetch("SELECT note, actor_name FROM case_history WHERE version = 2")
        assert (entry["note"], entry["actor_name"]) == ("需要上门评估，村里没有人员", "周代办")
        routing = await service.client.get(f"/v1/cases/{case.id}/routing", headers=case.clerk)
        assert routing.json()["changes"][0]["note"] == "需要上门评估，村里没有人员"

    async def test_nobody_else_and_not_without_a_reason(self, service):
        case = await self.case_in_the_village(service)
        reason = {"reason": "需要上门评估"}
        for who, code in (
            (case.applicant, "wrong-role"),
            (case.clerk, "wrong-role"),
            (self.agent("140802001002:village-committee"), "wrong-unit"),
            (bearer("handler", unit="140802000000:health"), "wrong-role"),
        ):
            assert (await case.refused(who, "hand-up", **reason)) == (403, code)
        assert (await case.refused(self.agent(), "hand-up"))[0] == 422

    async def test_what_lies_above_a_village_is_not_passed_up(self, service):
        me = uuid4()
        answer = await service.client.post(
            "/v1/requests", json=make_request(), headers=resident(me) | key()
        )
        case = Case(service, me, answer.json())
        assert await case.refused(self.agent(), "hand-up", reason="需要上门评估") == (
            403,
            "wrong-unit",
        )
