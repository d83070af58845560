import asyncio
from uuid import uuid4

import pytest

from services.requests.reference.consumers import keep_item
from tests.requests import factories
from tests.requests.conftest import deliver
from tests.requests.factories import ITEM_CODE, OFFICIAL_CODE, key, make_item, make_request
from tests.support.tokens import bearer, resident

TABLES = ("citizen_request", "service_case", "case_history", "timer", "outbox_message")


async def submit(service, headers=None, **overrides):
    headers = headers or (resident() | key())
    return await service.client.post(
        "/v1/requests", json=make_request(**overrides), headers=headers
    )


async def assert_nothing_written(service):
    for table in (*TABLES, "idempotency_key"):
        assert await service.count(table) == 0, table


class TestSubmitRequest:
    async def test_receipt_names_number_unit_and_promised_date(self, service):
        answer = await submit(service)
        assert answer.status_code == 201
        receipt = answer.json()
        [case] = receipt["cases"]
        assert receipt["number"].startswith("140802-")
        assert case["number"] == f"{receipt['number']}-01"
        assert case["unit"] == {"code": factories.COUNTY_UNIT, "name": "盐湖区民政局"}
        assert case["due_on"] > receipt["received_on"]
        assert [material["code"] for material in case["materials_missing"]] == ["certificate"]

    async def test_request_case_history_timer_key_and_event_are_written_together(self, service):
        answer = await submit(service)
        for table in TABLES:
            assert await service.count(table) == 1, table
        assert await service.count("idempotency_key") == 1
        [(event_type, body)] = await service.events()
        assert event_type == "cn.yichuang.requests.request-submitted.v1"
        assert body["cases"][0]["case_id"] == answer.json()["cases"][0]["id"]

    async def test_personal_data_is_encrypted_and_not_in_the_event(self, service):
        await submit(service)
        [row] = await service.fetch(
            "SELECT r::text AS r, c::text AS c FROM citizen_request r, service_case c"
        )
        [(_, body)] = await service.events()
        for secret in (*factories.PERSON.values(), factories.ANSWERS["account"]):
            assert secret not in row["r"] + row["c"] + str(body)

    async def test_several_items_make_several_cases_in_one_request(self, service):
        items = [
            {"item_code": code, "answers": factories.ANSWERS} for code in (ITEM_CODE, OFFICIAL_CODE)
        ]
        receipt = (await submit(service, items=items)).json()
        numbers = [case["number"] for case in receipt["cases"]]
        assert numbers[0] == f"{receipt['number']}-01"
        assert numbers[1].startswith(OFFICIAL_CODE)
        assert len(numbers[1]) == 31 + 8 + 4
        assert await service.count("service_case") == 2
        assert await service.count("outbox_message") == 1

    async def test_same_key_gets_the_same_receipt_and_nothing_more(self, service):
        headers = resident() | key()
        first = await submit(service, headers)
        second = await submit(service, headers)
        assert second.content == first.content
        assert second.headers["idempotent-replayed"] == "true"
        assert await service.count("citizen_request") == 1

    async def test_racing_repeats_are_taken_in_once(self, service):
        headers = resident() | key()
        answers = await asyncio.gather(*(submit(service, headers) for _ in range(12)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert await service.count("citizen_request") == 1
        assert await service.count("outbox_message") == 1

    async def test_many_at_once_share_statements_and_keep_their_own_receipts(self, service):
        answers = await asyncio.gather(*(submit(service) for _ in range(60)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["number"] for answer in answers}) == 60
        assert await service.count("citizen_request") == 60

    async def test_one_bad_row_does_not_fail_the_rows_beside_it(self, service):
        intake = service.app.state.intake
        original = intake.writer._write

        async def write(rows):
            if any(row.row.channel == "portal" for row in rows):
                raise ConnectionResetError("this statement fails")
            return await original(rows)

        intake.writer._write = write
        try:
            answers = await asyncio.gather(
                submit(service), submit(service, channel="portal"), submit(service)
            )
        finally:
            intake.writer._write = original
        assert [answer.status_code for answer in answers] == [201, 503, 201]
        assert await service.count("citizen_request") == 2

    async def test_without_a_matching_unit_the_dispatch_queue_has_it(self, service):
        await deliver(
            service,
            keep_item,
            make_item(item_code="provisional:no-such-department", department="no-such-department"),
        )
        items = [{"item_code": "provisional:no-such-department", "answers": factories.ANSWERS}]
        receipt = (await submit(service, items=items)).json()
        assert receipt["cases"][0]["unit"] is None
        [row] = await service.fetch("SELECT unit_code, routing FROM service_case")
        assert row["unit_code"] is None


class TestRefusals:
    async def test_unknown_item(self, service):
        answer = await submit(service, items=[{"item_code": "provisional:nothing"}])
        assert (answer.status_code, answer.json()["code"]) == (404, "item-unknown")
        await assert_nothing_written(service)

    async def test_paused_item(self, service):
        from contracts.catalogue import ItemPaused

        state = make_item(item_code="provisional:paused").model_dump()
        await deliver(service, keep_item, ItemPaused(**state, reason="系统升级"))
        answer = await submit(service, items=[{"item_code": "provisional:paused"}])
        assert (answer.status_code, answer.json()["code"]) == (409, "item-not-open")
        await assert_nothing_written(service)

    async def test_unknown_division(self, service):
        answer = await submit(service, division_code="140802001999")
        assert (answer.status_code, answer.json()["code"]) == (422, "division-unknown")
        await assert_nothing_written(service)

    async def test_item_of_another_place(self, service):
        await deliver(
            service,
            keep_item,
            make_item(item_code="provisional:local", division_code="140821000000"),
        )
        answer = await submit(service, items=[{"item_code": "provisional:local"}])
        assert (answer.status_code, answer.json()["code"]) == (422, "item-not-offered-here")
        await assert_nothing_written(service)

    async def test_every_form_violation_is_listed_with_its_path(self, service):
        items = [
            {
                "item_code": ITEM_CODE,
                "answers": {"category": "别的", "account": "12", "more": 1},
                "materials": [{"code": "blood-type"}],
            }
        ]
        answer = await submit(service, items=items)
        assert (answer.status_code, answer.json()["code"]) == (422, "form-invalid")
        paths = {error["path"] for error in answer.json()["errors"]}
        assert paths == {
            "/items/0/answers",
            "/items/0/answers/category",
            "/items/0/answers/account",
            "/items/0/answers/grade",
            "/items/0/materials",
        }
        await assert_nothing_written(service)

    async def test_channel_the_item_does_not_have(self, service):
        answer = await submit(service, channel="telephone")
        assert answer.json()["errors"][0]["path"] == "/channel"
        await assert_nothing_written(service)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("identity_number", "110105194912310021"),
            ("identity_number", "11010519491331002X"),
            ("mobile", "12345678901"),
            ("name", ""),
        ],
    )
    async def test_bad_personal_data(self, service, field, value):
        answer = await submit(service, applicant=factories.PERSON | {field: value})
        assert answer.status_code == 422
        assert [error["path"] for error in answer.json()["errors"]] == [f"/applicant/{field}"]
        await assert_nothing_written(service)

    async def test_key_used_for_another_body(self, service):
        headers = resident() | key()
        await submit(service, headers)
        answer = await submit(service, headers, channel="portal")
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
        assert await service.count("citizen_request") == 1

    async def test_key_is_required(self, service):
        answer = await submit(service, resident())
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")
        await assert_nothing_written(service)

    async def test_staff_who_take_nothing_in(self, service):
        for role in ("handler", "supervisor", "auditor", "operator"):
            answer = await submit(service, bearer(role) | key())
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
        await assert_nothing_written(service)

    async def test_nobody(self, service):
        answer = await submit(service, key())
        assert answer.status_code == 401
        await assert_nothing_written(service)

    async def test_malformed_json_and_wrong_type(self, service):
        headers = resident() | key() | {"content-type": "application/json"}
        broken = await service.client.post("/v1/requests", content=b'{"a":', headers=headers)
        assert broken.json()["code"] == "malformed-json"
        headers["content-type"] = "text/plain"
        plain = await service.client.post("/v1/requests", content=b"{}", headers=headers)
        assert plain.json()["code"] == "unsupported-media-type"
        await assert_nothing_written(service)


class TestMyRequests:
    async def test_own_only_newest_first_and_paged(self, service):
        me, other = uuid4(), uuid4()
        numbers = []
        for account in (me, me, other, me):
            answer = await submit(service, resident(account) | key())
            if account == me:
                numbers.append(answer.json()["number"])
        first = (await service.client.get("/v1/requests?limit=2", headers=resident(me))).json()
        rest = (
            await service.client.get(
                f"/v1/requests?limit=2&after={first['next']}", headers=resident(me)
            )
        ).json()
        seen = [entry["number"] for entry in first["items"] + rest["items"]]
        assert seen == numbers[::-1]
        assert rest["next"] is None

    async def test_bad_cursor(self, service):
        answer = await service.client.get("/v1/requests?after=nonsense", headers=resident())
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")
