"""Fees paid on a case, and at which window what was done: both count in evaluation."""

import asyncio
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from services.requests.reference.consumers import keep_item
from tests.requests.cases import HEALTH, Case
from tests.requests.conftest import deliver
from tests.requests.factories import ANSWERS, key, make_item, make_request
from tests.support.tokens import bearer, resident


@pytest.fixture
async def accepted(case) -> Case:
    await case.done(case.clerk, "accept")
    return case


class TestPayment:
    BODY: ClassVar[dict[str, Any]] = {"receipt_number": "JS-20261208-01", "amount_cents": 4505}

    async def test_is_recorded_by_its_receipt_once_and_shown(self, accepted):
        place = {"window_code": "A3", "facility_id": str(uuid4())}
        before = (await accepted.row())["state"]
        await accepted.done(accepted.clerk, "record-payment", **self.BODY, **place)
        kind, event = await accepted.last_event()
        assert kind == "case-paid"
        assert (event["amount_cents"], event["handler_name"]) == (4505, "周窗口")
        assert {name: event[name] for name in place} == place
        assert self.BODY["receipt_number"] not in str(event)
        assert (await accepted.row())["state"] == before
        again = {**self.BODY, "amount_cents": 1}
        assert await accepted.refused(accepted.handler, "record-payment", **again) == (
            409,
            "payment-recorded-already",
        )
        more = {**self.BODY, "receipt_number": "JS-20261208-02"}
        await accepted.done(accepted.handler, "record-payment", **more)
        read = (await accepted.read(accepted.applicant)).json()
        assert [row["amount_cents"] for row in read["payments"]] == [4505, 4505]
        assert "缴费 45.05 元，票据号 JS-20261208-01" in [row["note"] for row in read["history"]]

    async def test_a_race_records_one(self, accepted):
        answers = await asyncio.gather(
            *(
                accepted.act(accepted.clerk, "record-payment", version=2, **self.BODY)
                for _ in range(3)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert await accepted.service.count("case_payment") == 1

    @pytest.mark.parametrize(
        ("who", "body", "refusal"),
        [
            (resident(), {}, (403, "wrong-person")),
            (bearer("handler", unit=HEALTH), {}, (403, "wrong-unit")),
            (bearer("window-clerk", division="140821000000"), {}, (403, "wrong-division")),
            (None, {"amount_cents": 0}, (422, "invalid-request")),
            (None, {"amount_cents": 45.5}, (422, "invalid-request")),
            (None, {"receipt_number": "收据"}, (422, "invalid-request")),
        ],
    )
    async def test_refusals(self, accepted, who, body, refusal):
        given = self.BODY | body
        who = who or accepted.clerk
        assert await accepted.refused(who, "record-payment", **given) == refusal
        assert await accepted.service.count("case_payment") == 0

    async def test_the_applicant_does_not_record_it_nor_anybody_before_acceptance(self, case):
        status, code = await case.refused(case.applicant, "record-payment", **self.BODY)
        assert (status, code) == (403, "wrong-role")
        assert await case.refused(case.clerk, "record-payment", **self.BODY) == (
            409,
            "action-impossible",
        )

    async def test_an_item_without_fees_has_nothing_to_pay(self, service):
        item = make_item(item_code="provisional:free-of-charge", fee={"charged": False})
        await deliver(service, keep_item, item)
        applicant_id = uuid4()
        request = make_request(items=[{"item_code": item.item_code, "answers": ANSWERS}])
        answer = await service.client.post(
            "/v1/requests", json=request, headers=resident(applicant_id) | key()
        )
        accepted = Case(service, applicant_id, answer.json())
        await accepted.done(accepted.clerk, "accept")
        assert await accepted.refused(accepted.clerk, "record-payment", **self.BODY) == (
            409,
            "nothing-to-pay",
        )


class TestCounters:
    async def test_what_is_done_at_a_window_says_at_which(self, case):
        place = {"window_code": "A3", "facility_id": str(uuid4())}
        await case.done(case.clerk, "accept", **place)
        kind, accepted = await case.last_event()
        assert (kind, accepted["handler_name"]) == ("case-accepted", "周窗口")
        assert {name: accepted[name] for name in place} == place
        await case.done(case.handler, "decide", granted=True)
        await case.done(case.handler, "complete", result_code=0, window_code="B1")
        _, completed = await case.last_event()
        assert (completed["window_code"], completed["facility_id"]) == ("B1", None)
