"""Writing items: who may, and what is refused with nothing written."""

import asyncio

import pytest

from tests.catalogue.factories import (
    CITY,
    COUNTY,
    OTHER_COUNTY,
    make_content,
    make_item,
    make_limits,
)
from tests.support.tokens import bearer, resident

UNKNOWN = "00000000-0000-7000-8000-000000000000"


async def ensure_untouched(catalogue) -> None:
    """Nothing was written, nobody is told."""
    for table in ("item", "item_draft", "item_version", "item_history", "outbox_message"):
        assert await catalogue.count(table) == 0, table


class TestCreateItem:
    async def test_starts_with_a_draft_that_only_staff_see(self, catalogue, people):
        answer = await catalogue.client.post("/v1/items", json=make_item(), headers=people.editor())
        assert answer.status_code == 201
        item = answer.json()
        assert answer.headers["etag"] == '"1"'
        assert answer.headers["location"] == f"/v1/items/{item['id']}"
        assert (item["status"], item["version"]) == ("draft", None)
        assert item["draft"]["state"] == "draft"
        assert item["accepts_at"] == ["community", "township", "county"]
        path = f"/v1/items/{item['id']}"
        assert (await catalogue.client.get(path)).status_code == 404
        assert (await catalogue.client.get(path, headers=resident())).status_code == 404
        assert (await catalogue.client.get(path, headers=people.approver())).status_code == 200
        assert await catalogue.events() == []
        history = await catalogue.fetch("SELECT action, to_status, actor FROM item_history")
        assert [tuple(row) for row in history] == [("create", "draft", str(people.editor_id))]

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, "unauthenticated"),
            (resident(), "wrong-role"),
            (bearer("catalogue-approver"), "wrong-role"),
            (bearer("window-clerk"), "wrong-role"),
            (bearer("catalogue-editor", division=OTHER_COUNTY), "wrong-division"),
            (bearer("catalogue-editor", division="140802001000"), "wrong-division"),
            (bearer("catalogue-editor", division=None), "wrong-division"),
        ],
    )
    async def test_is_for_editors_of_the_division(self, catalogue, headers, code):
        answer = await catalogue.client.post("/v1/items", json=make_item(), headers=headers)
        assert answer.json()["code"] == code
        assert answer.status_code == (401 if code == "unauthenticated" else 403)
        await ensure_untouched(catalogue)

    async def test_an_editor_of_the_city_covers_the_county(self, catalogue, people):
        headers = people.editor(division=CITY)
        answer = await catalogue.client.post("/v1/items", json=make_item(), headers=headers)
        assert answer.status_code == 201

    async def test_a_contradictory_text_is_refused_with_everything_that_is_wrong(
        self, catalogue, people
    ):
        body = make_item(
            summary="按规定执行", visits=1, limits=make_limits(promised_days=0), agent_service=False
        )
        answer = await catalogue.client.post("/v1/items", json=body, headers=people.editor())
        assert (answer.status_code, answer.json()["code"]) == (422, "item-inconsistent")
        errors = {error["path"]: error["type"] for error in answer.json()["errors"]}
        assert errors == {
            "/summary": "says-nothing",
            "/limits/project_kind": "immediate-is-zero-days",
            "/visit_reason": "visit-needs-reason",
            "/agent_service": "agent-service-is-channel",
        }
        assert all(error["remedy"] for error in answer.json()["errors"])
        await ensure_untouched(catalogue)

    @pytest.mark.parametrize(
        ("overrides", "path"),
        [
            ({"name": ""}, "/name"),
            ({"name": "补\x00贴"}, "/name"),
            ({"name": "补\n贴"}, "/name"),
            ({"name": "补" * 201}, "/name"),
            ({"level": "street"}, "/level"),
            ({"channels": []}, "/channels"),
            ({"audiences": ["everybody"]}, "/audiences/0"),
            ({"form": {"type": "object", "title": "\x00"}}, "/form"),
            ({"form": {"type": "object", "title": "x" * 70_000}}, "/form"),
            ({"limits": make_limits(promised_days=-1)}, "/limits/promised_days"),
            ({"surprise": 1}, "/surprise"),
            ({"task_type": "77"}, "/task_type"),
        ],
    )
    async def test_a_malformed_text_is_refused_with_its_place(
        self, catalogue, people, overrides, path
    ):
        answer = await catalogue.client.post(
            "/v1/items", json=make_item(**overrides), headers=people.editor()
        )
        assert answer.status_code == 422
        assert path in [error["path"] for error in answer.json()["errors"]]
        await ensure_untouched(catalogue)

    async def test_lone_surrogates_are_refused(self, catalogue, people):
        headers = people.editor() | {"content-type": "application/json"}
        for content in (b'{"form": {"a": "\\ud800"}}', b'{"name": "\\ud800"}'):
            answer = await catalogue.client.post("/v1/items", content=content, headers=headers)
            assert answer.status_code == 422
        await ensure_untouched(catalogue)

    async def test_identity_is_checked(self, catalogue, people):
        body = make_item() | {"item_code": "!", "division_code": "1408"}
        answer = await catalogue.client.post("/v1/items", json=body, headers=people.editor())
        assert {error["path"] for error in answer.json()["errors"]} == {
            "/item_code",
            "/division_code",
        }

    async def test_a_code_is_used_once_in_a_division(self, catalogue, people):
        body = make_item()
        for division, status in ((COUNTY, 201), (COUNTY, 409), (CITY, 201)):
            answer = await catalogue.client.post(
                "/v1/items",
                json=body | {"division_code": division},
                headers=people.editor(division=CITY),
            )
            assert answer.status_code == status
        assert await catalogue.count("item") == 2

    async def test_racing_for_a_code_makes_one_item(self, catalogue, people):
        body = make_item()
        answers = await asyncio.gather(
            *(
                catalogue.client.post("/v1/items", json=body, headers=people.editor())
                for _ in range(5)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"item-code-taken"}
        assert await catalogue.count("item_draft") == 1

    async def test_a_repeat_with_the_same_key_makes_one_item(self, catalogue, people):
        body, headers = make_item(), people.editor() | {"Idempotency-Key": "create-1"}
        first = await catalogue.client.post("/v1/items", json=body, headers=headers)
        second = await catalogue.client.post("/v1/items", json=body, headers=headers)
        assert second.content == first.content
        assert second.headers["etag"] == first.headers["etag"]
        assert second.headers["location"] == first.headers["location"]
        assert await catalogue.count("item") == 1


class TestSaveDraft:
    async def test_replaces_the_working_copy(self, catalogue, people):
        item_id = await people.draft()
        answer = await people.save(item_id, name="残疾人补贴")
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"2"'
        assert (answer.json()["name"], answer.json()["draft"]["content"]["name"]) == (
            "残疾人补贴",
            "残疾人补贴",
        )

    async def test_does_not_change_what_is_published(self, catalogue, people):
        item_id = await people.publish(name="老名字")
        events = await catalogue.events()
        answer = await people.save(item_id, name="新名字")
        assert answer.json()["draft"]["content"]["name"] == "新名字"
        public = (await catalogue.client.get(f"/v1/items/{item_id}")).json()
        assert (public["name"], public["version"], public["draft"]) == ("老名字", 1, None)
        assert await catalogue.events() == events

    async def test_a_stale_version_is_refused(self, catalogue, people):
        item_id = await people.draft()
        tag = await people.tag(item_id)
        answers = await asyncio.gather(
            *(
                catalogue.client.put(
                    f"/v1/items/{item_id}/draft",
                    json=make_content(name=name),
                    headers=people.editor() | {"If-Match": tag},
                )
                for name in ("甲事项", "乙事项", "丙事项")
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"stale-version"}
        assert (await people.state(item_id))["version"] == 2

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({}, 401, "unauthenticated"),
            (bearer("catalogue-approver"), 403, "wrong-role"),
            (bearer("catalogue-editor", division=OTHER_COUNTY), 403, "wrong-division"),
        ],
    )
    async def test_is_for_editors_of_the_division(self, catalogue, people, headers, status, code):
        item_id = await people.draft()
        answer = await catalogue.client.put(
            f"/v1/items/{item_id}/draft",
            json=make_content(name="改名"),
            headers=headers | {"If-Match": '"1"'},
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await people.state(item_id))["version"] == 1

    async def test_needs_the_version_that_was_read(self, catalogue, people):
        item_id = await people.draft()
        path, body = f"/v1/items/{item_id}/draft", make_content()
        answer = await catalogue.client.put(path, json=body, headers=people.editor())
        assert (answer.status_code, answer.json()["code"]) == (428, "version-required")
        headers = people.editor() | {"If-Match": "W/x"}
        answer = await catalogue.client.put(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "version-malformed")

    async def test_an_unknown_item(self, catalogue, people):
        answer = await catalogue.client.put(
            f"/v1/items/{UNKNOWN}/draft",
            json=make_content(),
            headers=people.editor() | {"If-Match": '"1"'},
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "item-not-found")

    async def test_a_contradictory_text_is_refused(self, catalogue, people):
        item_id = await people.draft()
        answer = await people.save(item_id, visits=1)
        assert (answer.status_code, answer.json()["code"]) == (422, "item-inconsistent")
        assert await people.tag(item_id) == '"1"'

    async def test_a_text_under_review_is_locked(self, catalogue, people):
        item_id = await people.draft()
        await people.act(item_id, "submit")
        answer = await people.save(item_id, name="偷偷改名")
        assert (answer.status_code, answer.json()["code"]) == (409, "draft-locked")
