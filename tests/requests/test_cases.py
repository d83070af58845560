import asyncio
from uuid import uuid4

import pytest

from tests.requests import factories
from tests.requests.cases import event_types
from tests.requests.factories import COUNTY_UNIT, key
from tests.support.tokens import bearer, resident


class TestWholePath:
    async def test_from_receipt_through_correction_to_completion(self, case):
        missing = ["残疾人证复印件"]
        assert (
            await case.act(case.clerk, "request-correction", missing=missing)
        ).status_code == 200
        corrected = await case.act(
            case.applicant, "answer-correction", materials=[{"code": "certificate"}]
        )
        assert corrected.status_code == 200
        assert (await case.act(case.clerk, "accept")).status_code == 200
        assert (await case.act(case.handler, "decide", granted=True)).status_code == 200
        assert (await case.act(case.handler, "complete", result_code=0)).status_code == 200

        read = (await case.read(case.applicant)).json()
        assert read["state"] == "completed"
        assert [entry["action"] for entry in read["history"]] == [
            "submit", "request-correction", "answer-correction", "accept", "decide", "complete",
        ]  # fmt: skip
        assert read["correction"]["missing"] == missing
        assert await event_types(case.service) == [
            "request-submitted", "correction-requested", "correction-answered", "case-accepted",
            "case-decided", "case-completed",
        ]  # fmt: skip
        timers = await case.service.fetch("SELECT kind FROM timer ORDER BY kind")
        assert [row["kind"] for row in timers] == ["archive", "delivery-due"]

    async def test_completion_names_the_handler_and_version_in_the_event(self, case):
        await case.act(case.clerk, "accept")
        await case.act(case.handler, "decide", granted=False)
        contradiction = await case.act(case.handler, "complete", result_code=0)
        assert (contradiction.status_code, contradiction.json()["code"]) == (
            409,
            "result-contradicts-decision",
        )
        await case.act(case.handler, "complete", result_code=1)
        _, body = (await case.service.events())[-1]
        assert body["handler_name"] == "李经办"
        assert body["case_version"] == 4
        assert body["result_code"] == 1

    async def test_acceptance_starts_the_promised_limit_and_ends_the_silence_timer(self, case):
        await case.act(case.clerk, "accept")
        timers = await case.service.fetch("SELECT kind FROM timer ORDER BY kind")
        assert [row["kind"] for row in timers] == ["deadline-near", "deadline-passed"]
        [row] = await case.service.fetch("SELECT accepted_on, due_on FROM service_case")
        assert row["due_on"] > row["accepted_on"]

    async def test_refusal_names_the_right_organ(self, case):
        body = {"reason": "不属于本机关职权范围", "right_organ": "盐湖区残疾人联合会"}
        assert (await case.act(case.clerk, "refuse", **body)).status_code == 200
        _, event = (await case.service.events())[-1]
        assert event["right_organ"] == "盐湖区残疾人联合会"

    async def test_applicant_withdraws_before_the_decision(self, case):
        assert (await case.act(case.applicant, "withdraw")).status_code == 200
        assert (await case.act(case.clerk, "accept")).json()["code"] == "action-impossible"


class TestRefusals:
    async def assert_unchanged(self, case, events=1, version=1):
        [row] = await case.service.fetch("SELECT version FROM service_case")
        assert row["version"] == version
        assert len(await case.service.events()) == events
        assert await case.service.count("case_history") == version

    @pytest.mark.parametrize(
        ("who", "code"),
        [
            (resident(), "wrong-person"),
            (bearer("window-clerk", division="140821000000"), "wrong-division"),
            (bearer("catalogue-editor"), "wrong-role"),
            (bearer("auditor"), "wrong-role"),
            (bearer("handler", unit="140802000000:health"), "wrong-unit"),
        ],
    )
    async def test_who_may_not_accept(self, case, who, code):
        answer = await case.act(who, "accept")
        assert (answer.status_code, answer.json()["code"]) == (403, code)
        await self.assert_unchanged(case)

    async def test_nobody(self, case):
        assert (await case.act({}, "accept")).status_code == 401

    async def test_the_applicant_may_not_accept_their_own_case(self, case):
        assert (await case.act(case.applicant, "accept")).json()["code"] == "wrong-role"
        await self.assert_unchanged(case)

    async def test_the_window_may_not_decide(self, case):
        await case.act(case.clerk, "accept")
        answer = await case.act(case.clerk, "decide", granted=True)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
        await self.assert_unchanged(case, events=2, version=2)

    async def test_correction_only_once(self, case):
        await case.act(case.clerk, "request-correction", missing=["残疾人证复印件"])
        await case.act(case.applicant, "answer-correction")
        answer = await case.act(case.clerk, "request-correction", missing=["还有一份"])
        assert (answer.status_code, answer.json()["code"]) == (409, "notice-given-already")
        await self.assert_unchanged(case, events=3, version=3)

    async def test_stale_version(self, case):
        await case.act(case.clerk, "accept")
        answer = await case.act(case.handler, "decide", version=1, granted=True)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale-version")
        await self.assert_unchanged(case, events=2, version=2)

    async def test_missing_version(self, case):
        answer = await case.service.client.post(
            f"/v1/cases/{case.id}/actions/accept", json={}, headers=case.clerk
        )
        assert (answer.status_code, answer.json()["code"]) == (428, "version-required")

    async def test_wrong_order(self, case):
        answer = await case.act(case.handler, "decide", granted=True)
        assert (answer.status_code, answer.json()["code"]) == (409, "action-impossible")
        await self.assert_unchanged(case)

    @pytest.mark.parametrize(
        ("action", "body"),
        [
            ("decide", {}),
            ("decide", {"granted": True, "more": 1}),
            ("request-correction", {"missing": []}),
            ("complete", {"result_code": 9}),
            ("refuse", {"reason": ""}),
            ("dispatch", {"unit_code": "nowhere"}),
        ],
    )
    async def test_bad_body(self, case, action, body):
        answer = await case.act(case.handler, action, **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
        await self.assert_unchanged(case)

    async def test_unknown_action(self, case):
        answer = await case.act(case.handler, "explode")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")

    async def test_unknown_case(self, case):
        case.id = str(uuid4())
        answer = await case.act(case.clerk, "accept")
        assert (answer.status_code, answer.json()["code"]) == (404, "case-not-found")

    async def test_two_racing_actions_give_one_success_and_one_conflict(self, case):
        answers = await asyncio.gather(
            case.act(case.clerk, "accept", version=1),
            case.act(case.applicant, "withdraw", version=1),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        await self.assert_unchanged(case, events=2, version=2)

    async def test_repeated_action_with_its_key_gives_the_first_answer(self, case):
        headers = key()
        first = await case.act(case.clerk, "accept", version=1, headers=headers)
        second = await case.act(case.clerk, "accept", version=1, headers=headers)
        assert (second.status_code, second.content) == (200, first.content)
        await self.assert_unchanged(case, events=2, version=2)


class TestDispatch:
    async def test_supervisor_sends_a_case_to_a_unit(self, case):
        answer = await case.act(case.supervisor, "dispatch", unit_code="140802000000:health")
        assert answer.status_code == 200
        [row] = await case.service.fetch("SELECT unit_code, unit_name FROM service_case")
        assert (row["unit_code"], row["unit_name"]) == ("140802000000:health", "盐湖区卫生健康局")

    async def test_unknown_unit(self, case):
        answer = await case.act(case.supervisor, "dispatch", unit_code="140802000000:nobody")
        assert (answer.status_code, answer.json()["code"]) == (422, "unit-unknown")

    async def test_not_by_a_clerk(self, case):
        answer = await case.act(case.clerk, "dispatch", unit_code="140802000000:health")
        assert answer.json()["code"] == "wrong-role"


class TestReading:
    async def test_applicant_sees_their_own_data_in_full(self, case):
        read = (await case.read(case.applicant)).json()
        assert read["applicant_name"] == factories.PERSON["name"]
        assert read["possible_actions"] == ["withdraw"]

    async def test_staff_see_it_masked(self, case):
        answer = await case.read(case.handler)
        read = answer.json()
        assert read["applicant_name"] == "*大友"
        assert read["applicant_identity_number"] == "1****************X"
        assert read["applicant_mobile"] == "137****9050"
        assert answer.headers["etag"] == '"1"'
        assert factories.PERSON["identity_number"] not in answer.text

    @pytest.mark.parametrize(
        ("who", "code"),
        [
            (resident(), "wrong-person"),
            (
                bearer("handler", division="140821000000", unit="140821000000:health"),
                "wrong-division",
            ),
            (bearer("catalogue-editor"), "wrong-role"),
        ],
    )
    async def test_who_may_not_read(self, case, who, code):
        answer = await case.read(who)
        assert (answer.status_code, answer.json()["code"]) == (403, code)


class TestDisclosure:
    async def disclose(self, case, who, reason="核对残疾人证与申请人是否一致"):
        return await case.service.client.post(
            f"/v1/cases/{case.id}/disclosures", json={"reason": reason}, headers=who
        )

    async def test_shown_with_a_reason_and_the_resident_can_see_it(self, case):
        answer = await self.disclose(case, case.handler)
        assert answer.json()["identity_number"] == factories.PERSON["identity_number"]
        assert answer.json()["answers"] == factories.ANSWERS
        accesses = await case.service.client.get("/v1/data-accesses", headers=case.applicant)
        [access] = accesses.json()["items"]
        assert (access["viewer_name"], access["viewer_unit"]) == ("李经办", COUNTY_UNIT)
        assert access["reason"] == "核对残疾人证与申请人是否一致"

    @pytest.mark.parametrize(
        "who",
        [
            resident(),
            bearer("auditor"),
            bearer("handler", division="140802000000", unit="140802000000:health"),
            bearer("window-clerk", division="140821000000"),
        ],
    )
    async def test_not_to_those_who_do_not_work_on_it(self, case, who):
        answer = await self.disclose(case, who)
        assert answer.status_code == 403
        assert await case.service.count("data_access") == 0

    async def test_nothing_of_it_is_stored_for_a_repeat(self, case):
        before = await case.service.count("idempotency_key")
        for _ in range(2):
            answer = await self.disclose(case, case.handler | {"Idempotency-Key": "see-1"})
            assert answer.status_code == 200
        assert await case.service.count("idempotency_key") == before
        assert await case.service.count("data_access") == 2

    async def test_not_without_a_reason(self, case):
        answer = await self.disclose(case, case.handler, reason="")
        assert answer.status_code == 422
        assert await case.service.count("data_access") == 0
