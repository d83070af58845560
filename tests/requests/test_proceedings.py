"""Steps of a case beyond the straight path: pauses, extensions, opinions, follow-ups, reopening."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from contracts.envelope import Envelope
from contracts.evaluation import CaseReopenRequested
from servicekit.identifiers import new_id
from services.requests.cases.bodies import BODIES
from services.requests.cases.consumers import reopen
from services.requests.cases.timers import (
    archive,
    deadline_passed,
    lapse,
)
from services.requests.clock.rules import LOCAL
from tests.requests import factories
from tests.requests.cases import CLERK, DISABLED, HANDLER, HEALTH, Case
from tests.support.tokens import bearer, resident

PAUSE = {"procedure": "appraisal", "reason": "需要委托残疾等级鉴定", "expected_days": 10}
health = bearer("handler", name="卫健经办", division="140802000000", unit=HEALTH)


@pytest.fixture
async def accepted(case) -> Case:
    await case.done(case.clerk, "accept")
    return case


async def moved_back(case: Case, column: str, days: int) -> None:
    """Pretend that something happened some days ago."""
    async with case.service.database.transaction() as session:
        await session.execute(
            text(f"UPDATE {column.split('.')[0]} SET {column.split('.')[1]} = :day"),
            {"day": datetime.now(LOCAL).date() - timedelta(days=days)},
        )


class TestPause:
    async def test_the_limit_stands_still_and_goes_on_with_what_was_left(self, accepted):
        await accepted.done(accepted.handler, "pause", **PAUSE)
        paused = await accepted.row()
        assert (paused["state"], paused["due_on"]) == ("paused", None)
        kind, event = await accepted.last_event()
        assert kind == "case-clock-paused"
        assert event["remaining_days"] == paused["remaining_days"] > 0
        timers = await accepted.service.fetch("SELECT kind FROM timer")
        assert [row["kind"] for row in timers] == ["pause-end"]
        await accepted.fire(deadline_passed)
        assert (await accepted.last_event())[0] == "case-clock-paused"

        await moved_back(accepted, "case_pause.started_on", 14)
        await moved_back(accepted, "service_case.accepted_on", 14)
        await accepted.done(accepted.handler, "resume", outcome="鉴定意见已出具")
        after = await accepted.row()
        path = f"/v1/cases/{accepted.id}/clock"
        clock = await accepted.service.client.get(path, headers=accepted.applicant)
        assert clock.json()["remaining_days"] == paused["remaining_days"]
        assert after["paused_days"] == (await accepted.last_event())[1]["paused_days"] >= 8
        read = (await accepted.read(accepted.applicant)).json()
        assert read["pauses"][0]["reason"] == PAUSE["reason"]
        assert read["pauses"][0]["days"] == after["paused_days"]

    async def test_a_paused_case_cannot_be_decided_or_paused_again(self, accepted):
        await accepted.done(accepted.handler, "pause", **PAUSE)
        assert await accepted.refused(accepted.handler, "decide", granted=True) == (
            409,
            "action-impossible",
        )
        assert (await accepted.refused(accepted.handler, "pause", **PAUSE))[0] == 409

    async def test_withdrawn_while_paused(self, accepted):
        await accepted.done(accepted.handler, "pause", **PAUSE)
        await accepted.done(accepted.applicant, "withdraw")
        [pause] = await accepted.service.fetch("SELECT ended_on FROM case_pause")
        assert pause["ended_on"] is not None

    async def test_a_race_of_pause_and_decision_has_one_winner(self, accepted):
        answers = await asyncio.gather(
            accepted.act(accepted.handler, "pause", version=2, **PAUSE),
            accepted.act(accepted.handler, "decide", version=2, granted=True),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]


class TestExtension:
    BODY: ClassVar[dict[str, Any]] = {"days": 10, "reason": "案情复杂需要进一步核实"}

    async def test_once_and_no_longer_than_the_law_allows(self, accepted):
        before = (await accepted.row())["due_on"]
        too_long = {**self.BODY, "days": 11}
        assert await accepted.refused(accepted.supervisor, "extend", **too_long) == (
            422,
            "extension-too-long",
        )
        await accepted.done(accepted.supervisor, "extend", **self.BODY)
        assert (await accepted.row())["due_on"] > before
        assert (await accepted.last_event())[1]["days"] == 10
        assert await accepted.refused(accepted.supervisor, "extend", **self.BODY) == (
            409,
            "extended-already",
        )

    async def test_fifteen_days_when_several_units_decide_together(self, accepted):
        await accepted.done(
            accepted.handler, "consult", unit_codes=[HEALTH], question="请核实残疾等级"
        )
        await accepted.done(accepted.supervisor, "extend", days=15, reason="联合办理需要时间")


class TestTogether:
    async def test_one_decision_after_every_opinion_and_not_against_one(self, accepted):
        await accepted.done(
            accepted.handler, "consult", unit_codes=[HEALTH, DISABLED], question="请出具意见"
        )
        assert await accepted.refused(accepted.handler, "decide", granted=True) == (
            409,
            "opinions-missing",
        )
        assert (await accepted.read(health)).status_code == 200
        path, reason = f"/v1/cases/{accepted.id}/disclosures", {"reason": "出具意见需要核对"}
        client = accepted.service.client
        elsewhere = bearer("handler", division="140899000000", unit=HEALTH)
        assert (await client.post(path, json=reason, headers=elsewhere)).status_code == 200
        stranger = bearer("handler", division="140899000000", unit="140899000000:health")
        assert (await client.post(path, json=reason, headers=stranger)).status_code == 403
        assert (
            await client.get(f"/v1/cases/{accepted.id}/materials", headers=elsewhere)
        ).is_success
        await accepted.done(health, "give-opinion", agrees=False, opinion="等级不符")
        assert await accepted.refused(health, "give-opinion", agrees=True, opinion="再答") == (
            403,
            "wrong-unit",
        )
        federation = bearer("handler", division="140802000000", unit=DISABLED)
        await accepted.done(federation, "give-opinion", agrees=True, opinion="同意")
        assert (await accepted.last_event())[1]["opinion_unit_code"] == DISABLED
        assert await accepted.refused(accepted.handler, "decide", granted=True) == (
            409,
            "objected",
        )
        await accepted.done(accepted.handler, "decide", granted=False)
        opinions = (await accepted.read(accepted.handler)).json()["opinions"]
        assert [each["agrees"] for each in opinions] == [False, True]

    async def test_transfer_to_another_unit_and_out_of_the_platform(self, accepted):
        city = "140800000000:civil-affairs"
        await accepted.done(accepted.handler, "claim")
        await accepted.done(accepted.handler, "transfer", unit_code=city, reason="应由市级决定")
        row = await accepted.row()
        assert (row["unit_code"], row["assignee_id"], row["state"]) == (city, None, "accepted")
        assert row["first_taker_name"] == "李经办"
        assert (await accepted.last_event())[1]["from_unit_code"] == HANDLER["unit"]
        at_city = bearer("handler", division="140800000000", unit=city)
        await accepted.done(at_city, "transfer-out", organ="山西省民政厅", reason="属省级权限")
        assert (await accepted.row())["result_code"] == 4

    @pytest.mark.parametrize(
        ("unit", "code"),
        [("140802000000:nobody", "unit-unknown"), (HANDLER["unit"], "same-unit")],
    )
    async def test_units_that_cannot_be_asked(self, accepted, unit, code):
        body = {"unit_codes": [unit], "question": "请出具意见"}
        assert await accepted.refused(accepted.handler, "consult", **body) == (422, code)


class TestEnds:
    async def completed(self, case: Case) -> None:
        await case.done(case.clerk, "accept")
        await case.done(case.handler, "decide", granted=True)
        await case.done(case.handler, "complete", result_code=0)

    async def test_delivered_and_archived(self, case):
        await self.completed(case)
        await case.done(case.clerk, "deliver", way="post", tracking_number="SF1234567890")
        assert (await case.last_event())[1]["way"] == "post"
        await case.fire(archive)
        await case.fire(archive)
        row = await case.row()
        assert (row["state"], row["version"]) == ("delivered", case.version + 1)
        assert row["archived_on"] is not None

    async def test_nobody_answers_the_notice(self, case):
        await case.done(case.clerk, "request-correction", missing=["残疾人证复印件"])
        await case.fire(lapse)
        assert (await case.row())["state"] == "correcting"
        await moved_back(case, "correction_notice.answer_by", 1)
        await case.fire(lapse)
        row = await case.row()
        assert (row["state"], row["result_code"]) == ("completed", 5)

    async def test_void_is_not_rated(self, case):
        assert (await case.refused(case.handler, "void", result_code=3, reason="录入错误"))[
            0
        ] == 403
        await case.done(case.supervisor, "void", result_code=3, reason="录入错误")
        assert (await case.last_event())[0] == "case-voided"
        assert await case.refused(case.handler, "deliver", way="post") == (
            409,
            "nothing-to-deliver",
        )
        assert await case.refused(case.supervisor, "reopen", reason="又要重办") == (409, "voided")

    async def test_not_our_competence_needs_the_right_organ(self, case):
        assert await case.refused(case.clerk, "refuse", reason="不属于本机关职权") == (
            422,
            "invalid-request",
        )
        await case.done(case.clerk, "refuse", ground="not-required", reason="依法不需要申请")

    async def test_an_inspection_on_site_needs_two(self, case):
        await case.done(case.clerk, "accept")
        body = {"opinion": "入户核查属实", "on_site": True, "staff": ["李经办"]}
        assert (await case.refused(case.handler, "review", **body))[0] == 422
        await case.done(case.handler, "review", **{**body, "staff": ["李经办", "王核查"]})

    async def test_reopened_by_an_event_once_however_often_it_comes(self, case):
        await self.completed(case)
        row = await case.row()
        event = CaseReopenRequested(
            case_id=UUID(case.id),
            case_number=row["case_number"],
            applicant_id=row["applicant_id"],
            item_id=row["item_id"],
            item_name=row["item_name"],
            unit_code=row["unit_code"],
            division_code=row["division_code"],
            occurred_at=datetime.now(UTC),
            rectification_id=uuid4(),
            reason="rating",
        )
        envelope = Envelope(new_id(), event.event_type, event.source, event.key, event.occurred_at)
        for _ in range(2):
            async with case.service.database.transaction() as session:
                await reopen(session, event, envelope)
        after = await case.row()
        assert (after["state"], after["version"]) == ("accepted", row["version"] + 1)
        assert (after["result_code"], after["completed_on"]) == (None, None)
        kind, told = await case.last_event()
        assert (kind, told["times"]) == ("case-reopened", 1)
        assert told["rectification_id"] == str(event.rectification_id)
        timers = await case.service.fetch("SELECT kind FROM timer ORDER BY kind")
        assert [timer["kind"] for timer in timers] == ["deadline-near", "deadline-passed"]

    async def test_who_objected_is_asked_again_when_it_is_done_again(self, case):
        await case.done(case.clerk, "accept")
        await case.done(case.handler, "consult", unit_codes=[HEALTH], question="请核实残疾等级")
        await case.done(health, "give-opinion", agrees=False, opinion="等级不符")
        await case.done(case.handler, "decide", granted=False)
        await case.done(case.handler, "complete", result_code=1)
        await case.done(case.supervisor, "reopen", reason="复查鉴定有误")
        assert (await case.refused(case.handler, "decide", granted=True))[1] == "opinions-missing"
        await case.done(health, "give-opinion", agrees=True, opinion="复查属实")
        await case.done(case.handler, "decide", granted=True)

    async def test_a_supervisor_reopens(self, case):
        await self.completed(case)
        assert (await case.refused(case.handler, "reopen", reason="再办一次吧"))[0] == 403
        await case.done(case.supervisor, "reopen", reason="审计发现依据有误")
        assert (await case.row())["reopened_times"] == 1


class TestHands:
    async def test_first_taker_stays_named_through_hand_over_and_return(self, case):
        other_id = uuid4()
        other = bearer("handler", name="王同事", account_id=other_id, **HANDLER)
        assert await case.refused(case.handler, "hand-over", account_id=str(other_id)) == (
            403,
            "not-your-case",
        )
        await case.done(case.handler, "claim")
        assert await case.refused(other, "claim") == (409, "taken-already")
        assert await case.refused(case.handler, "hand-over", account_id=str(other_id)) == (
            422,
            "not-a-colleague",
        )
        await case.done(case.handler, "put-back")
        await case.done(other, "claim")
        await case.done(other, "put-back")
        await case.done(case.handler, "claim")
        await case.done(case.handler, "hand-over", account_id=str(other_id))
        row = await case.row()
        assert (row["assignee_name"], row["first_taker_name"]) == ("王同事", "李经办")

    async def test_two_who_claim_at_once(self, case):
        other = bearer("handler", **HANDLER)
        answers = await asyncio.gather(
            case.act(case.handler, "claim", version=1), case.act(other, "claim", version=1)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]

    async def test_sent_back_to_the_dispatch_queue(self, case):
        assert (await case.refused(case.clerk, "send-back", reason="不归我们办"))[0] == 403
        await case.done(case.handler, "send-back", reason="不归我们办")
        row = await case.row()
        assert (row["unit_code"], row["state"]) == (None, "received")
        assert await case.refused(case.clerk, "accept") == (409, "no-unit-yet")
        await case.done(case.supervisor, "dispatch", unit_code=HEALTH)
        kind, event = await case.last_event()
        assert (kind, event["unit_code"], event["from_unit_code"]) == (
            "case-dispatched",
            HEALTH,
            None,
        )


class TestWhoMayNot:
    """Every action of people, by everybody it is not for."""

    BODIES: ClassVar[dict[str, dict[str, Any]]] = {
        "dispatch": {"unit_code": HEALTH},
        "send-back": {"reason": "不归我们办"},
        "claim": {},
        "hand-over": {"account_id": str(uuid4())},
        "put-back": {},
        "review": {"opinion": "属实"},
        "pause": PAUSE,
        "resume": {"outcome": "完成"},
        "extend": {"days": 5, "reason": "案情复杂"},
        "transfer": {"unit_code": HEALTH, "reason": "应由市级决定"},
        "transfer-out": {"organ": "省民政厅", "reason": "属省级权限"},
        "consult": {"unit_codes": [HEALTH], "question": "请出具意见"},
        "give-opinion": {"agrees": True, "opinion": "同意"},
        "hand-in": {"materials": [{"code": "photo"}]},
        "check-commitment": {"kept": True, "note": "核查属实"},
        "complete": {"result_code": 0},
        "deliver": {"way": "direct"},
        "void": {"result_code": 2, "reason": "业务上无效"},
        "reopen": {"reason": "审计发现"},
        "answer-correction": {},
        "withdraw": {},
        "request-correction": {"missing": ["照片"]},
        "hand-up": {"reason": "村里没有人员"},
        "accept": {},
        "refuse": {"reason": "不属于本机关职权", "right_organ": "县残联"},
        "decide": {"granted": True},
        "record-payment": {"receipt_number": "A0001", "amount_cents": 100},
    }

    async def test_they_are_told_so_and_nothing_happens(self, case):
        outsiders = [
            (resident(), 403),
            (bearer("auditor"), 403),
            (bearer("window-clerk", division="140821000000"), 403),
            (bearer("handler", division="140821000000", unit="140821000000:health"), 403),
            (bearer("supervisor", division="140821000000"), 403),
            ({}, 401),
        ]
        village = "140802001002"  # not the applicant's
        outsiders.append(
            (bearer("village-agent", division=village, unit=f"{village}:village-committee"), 403)
        )
        assert set(self.BODIES) == {action.value for action in BODIES}
        before = await case.row()
        for action, body in self.BODIES.items():
            for who, status in outsiders:
                answer = await case.act(who, action, **body)
                assert answer.status_code == status, (action, answer.text)
            bad = await case.act(case.handler, action, **{**body, "surprise": 1})
            assert bad.status_code == 422, action
        assert await case.row() == before
        assert len(await case.service.events()) == 1
        assert CLERK["division"] != factories.VILLAGE
