"""Purchases: the guiding list, and a project's life from 立项 to 绩效评估."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.models import Stage
from services.catalogue.purchases import rules
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE
from tests.support.tokens import bearer, resident

ADMITTER = {"division": COUNTY, "name": "县里"}
BUYER = {"division": COUNTY, "department": "civil-affairs", "name": "民政局"}
DOCUMENTS = [{"name": "批复", "number": "盐民〔2026〕1号", "address": "https://example.cn/1"}]
STAGES: dict[str, dict[str, Any]] = {
    "budgeted": {"budget_cents": 10_000_000},
    "announced": {},
    "managed": {"supplier": "某社会工作服务中心", "contract_cents": 9_000_000},
    "evaluated": {"evaluation_points": 88},
}


def test_stages_are_reached_in_their_order_only():
    order = [Stage.initiated, *rules.STEPS]
    for before in Stage:
        for after in rules.STEPS:
            fits = before in order and order.index(after) == order.index(before) + 1
            assert rules.may_reach(before, after) is fits
        assert rules.may_reach(before, Stage.cancelled) is (before not in rules.FINAL)


@settings(max_examples=40)
@given(st.sampled_from(sorted(rules.STEPS)), st.sets(st.sampled_from(rules.FIGURES)))
def test_each_stage_brings_its_own_figures_and_no_others(stage, given_names):
    day = date(2026, 1, 1)
    found = rules.violations(
        Stage(stage), dict.fromkeys(given_names, 1), happened_on=day, last_on=day, today=day,
        budget_cents=1,
    )  # fmt: skip
    needed = set(rules.STEPS[Stage(stage)].brings)
    assert {each.path[1:] for each in found} == needed ^ given_names


def make_service(**overrides: Any) -> dict[str, Any]:
    service = {
        "name": "农村老年人助浴",
        "supply_category": "social-services",
        "description": "上门为失能老人洗浴。",
        "village_opinion": "征求了12个村的意见，均同意。",
        "document": "盐财〔2026〕2号",
        "valid_from": "2026-01-01",
    }
    return service | overrides


def stage_body(day: str = "2026-03-01", **figures: Any) -> dict[str, Any]:
    return {"happened_on": day, "documents": DOCUMENTS, "words": "按程序办理", **figures}


class Buying:
    def __init__(self, catalogue) -> None:
        self.client = catalogue.client

    async def list_service(self, headers=None, code: str = "bathing", division=COUNTY, **more):
        tag = {"If-Match": more.pop("tag")} if "tag" in more else {}
        return await self.client.put(
            f"/v1/purchase-services/{division}/{code}",
            json=make_service(**more),
            headers=(bearer("county-admitter", **ADMITTER) if headers is None else headers) | tag,
        )

    async def initiate(self, headers=None, **overrides: Any):
        if "service_id" not in overrides:
            listed = await self.list_service(code=f"s-{uuid4().hex[:8]}")
            overrides["service_id"] = listed.json()["id"]
        body = {
            **stage_body("2026-02-01"), "division_code": COUNTY, "department": "civil-affairs",
            "name": "2026年助浴项目",
        }  # fmt: skip
        who = bearer("supervisor", **BUYER) if headers is None else headers
        return await self.client.post("/v1/purchases", json=body | overrides, headers=who)

    async def reach(self, project_id: str, stage: str, version: int, headers=None, **body: Any):
        usual = (
            bearer("county-admitter", **ADMITTER)
            if stage == "evaluated"
            else bearer("supervisor", **BUYER)
        )
        return await self.client.post(
            f"/v1/purchases/{project_id}/stages/{stage}",
            json=stage_body(**(STAGES.get(stage, {}) | body)),
            headers=(usual if headers is None else headers) | {"If-Match": f'"{version}"'},
        )


@pytest.fixture
def buying(catalogue) -> Buying:
    return Buying(catalogue)


class TestLife:
    async def test_from_the_start_to_the_evaluation_in_public(self, catalogue, buying):
        project = (await buying.initiate()).json()
        url = f"/v1/purchases/{project['id']}"
        for version, stage in enumerate(STAGES, start=1):
            answer = await catalogue.client.get(url)
            assert answer.status_code == (404 if version < 3 else 200), stage
            reached = await buying.reach(project["id"], stage, version)
            assert (reached.status_code, reached.json()["stage"]) == (200, stage), reached.text
        read = (await catalogue.client.get(url)).json()
        assert [step["stage"] for step in read["steps"]] == ["initiated", *STAGES]
        assert (read["budget_cents"], read["contract_cents"]) == (10_000_000, 9_000_000)
        assert read["steps"][0]["documents"] == DOCUMENTS
        listed = await catalogue.client.get("/v1/purchases", params={"division": CITY})
        assert [each["evaluation_points"] for each in listed.json()["items"]] == [88]
        over = await buying.reach(project["id"], "cancelled", 5)
        assert over.json()["code"] == "purchase-stage-refused"
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            await catalogue.fetch("UPDATE purchase_step SET words = 'x'")

    async def test_what_a_stage_brings_is_checked_at_once(self, catalogue, buying):
        project_id = (await buying.initiate()).json()["id"]
        skipped = await buying.reach(project_id, "announced", 1)
        assert (skipped.status_code, skipped.json()["code"]) == (409, "purchase-stage-refused")
        wrong = await buying.reach(
            project_id, "budgeted", 1, budget_cents=None, evaluation_points=5,
            day="2026-01-31",
        )  # fmt: skip
        assert {each["type"] for each in wrong.json()["errors"]} == {
            "field-missing", "field-needless", "day-before-last",
        }  # fmt: skip
        for version, stage in enumerate(("budgeted", "announced"), start=1):
            await buying.reach(project_id, stage, version)
        dear = await buying.reach(project_id, "managed", 3, contract_cents=10_000_001)
        assert [each["type"] for each in dear.json()["errors"]] == ["over-budget"]
        ahead = await buying.reach(project_id, "managed", 3, day="2999-01-01")
        assert [each["type"] for each in ahead.json()["errors"]] == ["day-ahead"]
        assert await catalogue.count("purchase_step") == 3
        assert (await buying.reach(project_id, "cancelled", 3)).json()["stage"] == "cancelled"
        public = await catalogue.client.get("/v1/purchases", params={"division": COUNTY})
        assert [each["stage"] for each in public.json()["items"]] == ["cancelled"]

    async def test_two_at_once_reach_a_stage_once(self, catalogue, buying):
        project_id = (await buying.initiate()).json()["id"]
        answers = await asyncio.gather(*(buying.reach(project_id, "budgeted", 1) for _ in range(3)))
        assert sorted(each.status_code for each in answers) == [200, 409, 409]
        assert await catalogue.count("purchase_step") == 2

    async def test_a_repeat_with_the_key_starts_one(self, catalogue, buying):
        service_id = (await buying.list_service()).json()["id"]
        headers = bearer("supervisor", account_id=uuid4(), **BUYER) | {"Idempotency-Key": "p-1"}
        first, again = [await buying.initiate(headers, service_id=service_id) for _ in range(2)]
        assert (first.status_code, again.content) == (201, first.content)
        assert await catalogue.count("purchase_project") == 1


class TestRefusals:
    async def test_projects(self, catalogue, buying):
        service_id = (await buying.list_service(valid_until="2026-12-31")).json()["id"]
        far = await buying.list_service(
            bearer("county-admitter", division=CITY), division=OTHER_COUNTY
        )
        other = bearer("supervisor", **(BUYER | {"department": "health"}))
        abroad = bearer("supervisor", **(BUYER | {"division": OTHER_COUNTY}))
        for headers, overrides, status in (
            ({}, {}, 401),
            (resident(), {}, 403),
            (bearer("county-admitter", **ADMITTER), {}, 403),
            (other, {}, 403),
            (abroad, {}, 403),
            (None, {"service_id": far.json()["id"]}, 404),
            (None, {"division_code": VILLAGE}, 422),
            (None, {"happened_on": "2025-12-31"}, 422),
            (None, {"documents": []}, 422),
        ):
            answer = await buying.initiate(headers, **({"service_id": service_id} | overrides))
            assert answer.status_code == status, answer.text
        assert await catalogue.count("purchase_project") == 0
        project_id = (await buying.initiate(service_id=service_id)).json()["id"]
        for stage, headers, status in (
            ("budgeted", other, 403),
            ("budgeted", abroad, 403),
            ("budgeted", resident(), 403),
            ("evaluated", bearer("supervisor", **BUYER), 403),
            ("evaluated", bearer("county-admitter", division=OTHER_COUNTY), 403),
            ("cancelled", bearer("county-admitter", **ADMITTER), 403),
            ("initiated", bearer("supervisor", **BUYER), 422),
        ):
            answer = await buying.reach(project_id, stage, 1, headers)
            assert answer.status_code == status, (stage, answer.text)
        assert (await buying.reach(project_id, "budgeted", 9)).status_code == 409
        url = f"/v1/purchases/{project_id}"
        assert (await catalogue.client.get(url, headers=resident())).status_code == 404
        assert (await catalogue.client.get(url, headers=abroad)).status_code == 404
        auditor = bearer("auditor", division=CITY)
        assert (await catalogue.client.get(url, headers=auditor)).status_code == 200

    async def test_the_guiding_list(self, catalogue, buying):
        for headers, more, status in (
            ({}, {}, 401),
            (resident(), {}, 403),
            (bearer("supervisor", **BUYER), {}, 403),
            (bearer("county-admitter", division=OTHER_COUNTY), {}, 403),
            (None, {"village_opinion": ""}, 422),
            (None, {"valid_until": "2025-01-01"}, 422),
            (None, {"tag": '"1"'}, 409),
        ):
            answer = await buying.list_service(headers, **more)
            assert answer.status_code == status, answer.text
        assert await catalogue.count("purchase_service") == 0
        races = await asyncio.gather(*(buying.list_service() for _ in range(3)))
        assert sorted(each.status_code for each in races) == [200, 409, 409]
        changed = await buying.list_service(tag='"1"', valid_until="2026-06-30")
        assert changed.headers["etag"] == '"2"'

        async def listed(on: str, division: str = VILLAGE) -> int:
            answer = await catalogue.client.get(
                "/v1/purchase-services", params={"division": division, "on": on}
            )
            return len(answer.json()["items"])

        assert [await listed(on) for on in ("2025-12-31", "2026-06-30", "2026-07-01")] == [0, 1, 0]
        assert await listed("2026-06-30", OTHER_COUNTY) == 0
