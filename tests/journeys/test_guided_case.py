"""The guided case of `make demo`, through the gateway, over every service and Kafka."""

from uuid import uuid4

import httpx
import pytest

from devstack.walk import WalkFailed, access_token, walk
from tests.faults.citizens import body, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


async def test_from_a_village_to_a_mended_bad_rating(stack):
    told: list[str] = []
    await walk(stack.gateway_url, stack.around.development_outbox, told.append)
    story = "\n".join(told)
    assert "盐湖区民政局" in story
    assert "The resident rates 不满意" in story
    assert "the matter is closed" in story
    assert "首次差评" in story


async def test_a_step_that_goes_wrong_fails_the_walk(stack, tmp_path):
    letters = tmp_path / "no-codes.jsonl"
    letters.write_text("")
    with pytest.raises(WalkFailed, match="was it sent"):
        await walk(stack.gateway_url, letters, lambda _: None)


@pytest.fixture
async def gateway(stack):
    async with httpx.AsyncClient(base_url=stack.gateway_url, trust_env=False) as client:
        yield client


class TestThroughTheGateway:
    async def test_nobody_may_submit(self, gateway):
        answer = await gateway.post("/v1/requests", json={}, headers={"Idempotency-Key": "x-1"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")

    async def test_a_case_is_its_residents_and_no_strangers(self, stack, gateway):
        outbox = stack.around.development_outbox
        tokens = [
            {"Authorization": f"Bearer {await access_token(stack.gateway_url, mobile, outbox)}"}
            for mobile in ("13811112222", "13811113333")
        ]
        resident, stranger = tokens

        receipts = []

        async def taken_in() -> bool:
            key = {"Idempotency-Key": str(uuid4())}
            answer = await gateway.post("/v1/requests", json=body(), headers=resident | key)
            if answer.status_code == 201:
                receipts.append(answer.json())
            return bool(receipts)

        await until("intake knows the item", taken_in)
        case = f"/v1/cases/{receipts[0]['cases'][0]['id']}"
        assert (await gateway.get(case, headers=resident)).status_code == 200
        refused = await gateway.get(case, headers=stranger)
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong-person")

    async def test_what_is_not_published_is_not_there(self, gateway):
        for path in ("/livez-of-nothing", "/v2/items", "/v1/nothing"):
            answer = await gateway.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"

    async def test_one_document_describes_every_service(self, gateway):
        wanted = ("/v1/search", "/v1/requests", "/v1/divisions", "/v1/ratings", "/v1/notices")

        async def described() -> bool:
            # A service that was still starting is asked again after a few seconds.
            paths = (await gateway.get("/openapi.json")).json()["paths"]
            return all(any(path.startswith(prefix) for path in paths) for prefix in wanted)

        await until("every service is described", described, seconds=30)
        assert (await gateway.get("/docs")).status_code == 200
