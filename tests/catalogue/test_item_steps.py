"""Steps of an item's life: who may take them, what is announced, what is refused."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from contracts.catalogue import ItemPaused, ItemPublished, ItemRetired, ItemRevised
from contracts.registry import BY_TYPE
from tests.catalogue.factories import COUNTY, OTHER_COUNTY, make_content
from tests.support.tokens import bearer, resident

UNKNOWN = "00000000-0000-7000-8000-000000000000"


class TestPublish:
    async def test_the_public_sees_it_and_everybody_is_told(self, catalogue, people):
        item_id = await people.publish(name="高龄津贴")
        item = (await catalogue.client.get(f"/v1/items/{item_id}")).json()
        assert (item["status"], item["status_text"], item["version"]) == (
            "published",
            "可以办理",
            1,
        )
        [(event_type, body)] = await catalogue.events()
        event = BY_TYPE[event_type].model_validate(body)
        assert isinstance(event, ItemPublished)
        assert str(event.item_id) == item_id
        assert (event.name, event.version, event.division_code) == ("高龄津贴", 1, COUNTY)
        assert event.form == item["form"]
        assert [material.code for material in event.materials] == ["disability-certificate"]
        assert event.limits.promised_days == 10
        assert event.revision == (await people.state(item_id))["revision"]
        assert await catalogue.count("item_draft") == 0

    async def test_the_next_text_makes_the_next_version(self, catalogue, people):
        item_id = await people.publish(name="一版")
        await people.save(item_id, name="二版")
        await people.approve(item_id)
        versions = (await catalogue.client.get(f"/v1/items/{item_id}/versions")).json()["items"]
        assert [(version["number"], version["name"]) for version in versions] == [
            (2, "二版"),
            (1, "一版"),
        ]
        told = await catalogue.events()
        assert [kind for kind, _ in told] == [ItemPublished.event_type, ItemRevised.event_type]
        bodies = [body for _, body in told]
        assert [(body["version"], body["name"]) for body in bodies] == [(1, "一版"), (2, "二版")]
        revised = ItemRevised.model_validate(bodies[1])
        assert (
            revised.model_dump().keys()
            == ItemPublished.model_validate(bodies[0]).model_dump().keys()
        )
        assert bodies[0]["revision"] < bodies[1]["revision"]

    async def test_nobody_publishes_what_they_wrote(self, catalogue, people):
        """Neither who wrote last nor who wrote before, whatever roles they hold."""
        second = uuid4()
        item_id = await people.draft()
        await catalogue.client.put(
            f"/v1/items/{item_id}/draft",
            json=make_content(name="第二人改过"),
            headers=people.editor(account_id=second) | {"If-Match": await people.tag(item_id)},
        )
        await people.act(item_id, "submit")
        for author in (people.editor_id, second):
            both = bearer(
                "catalogue-editor", "catalogue-approver", account_id=author, division=COUNTY
            )
            answer = await people.act(item_id, "publish", **both)
            assert (answer.status_code, answer.json()["code"]) == (403, "two-hands")
        assert await catalogue.events() == []
        assert await catalogue.count("item_version") == 0
        assert (await people.act(item_id, "publish")).status_code == 200

    async def test_a_draft_that_was_not_submitted_is_not_published(self, catalogue, people):
        item_id = await people.draft()
        answer = await people.act(item_id, "publish")
        assert (answer.status_code, answer.json()["code"]) == (409, "item-action-refused")
        assert await catalogue.events() == []

    async def test_of_two_approvers_at_once_one_publishes(self, catalogue, people):
        item_id = await people.draft()
        await people.act(item_id, "submit")
        tag = await people.tag(item_id)
        answers = await asyncio.gather(
            *(
                catalogue.client.post(
                    f"/v1/items/{item_id}/actions/publish",
                    json={},
                    headers=people.approver(account_id=uuid4()) | {"If-Match": tag},
                )
                for _ in range(4)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert await catalogue.count("item_version") == 1
        assert len(await catalogue.events()) == 1

    async def test_a_repeat_with_the_same_key_publishes_once(self, catalogue, people):
        item_id = await people.draft()
        await people.act(item_id, "submit")
        tag = await people.tag(item_id)
        headers = people.approver() | {"If-Match": tag, "Idempotency-Key": "publish-1"}
        path = f"/v1/items/{item_id}/actions/publish"
        first = await catalogue.client.post(path, json={}, headers=headers)
        second = await catalogue.client.post(path, json={}, headers=headers)
        assert (first.status_code, second.content) == (200, first.content)
        assert len(await catalogue.events()) == 1

    async def test_published_versions_never_change(self, catalogue, people):
        await people.publish()
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            await catalogue.fetch("UPDATE item_version SET name = '改'")

    async def test_publications_at_once_get_revisions_in_the_order_of_their_commits(
        self, catalogue, people
    ):
        drafts = [await people.draft(name=f"事项{number}号") for number in range(4)]
        for item_id in drafts:
            await people.act(item_id, "submit")
        await asyncio.gather(*(people.act(item_id, "publish") for item_id in drafts))
        revisions = [body["revision"] for _, body in await catalogue.events()]
        assert len(set(revisions)) == 4
        newest = await catalogue.fetch("SELECT revision FROM catalogue_revision")
        assert newest[0]["revision"] == max(revisions)


class TestReject:
    async def test_gives_the_text_back_with_a_reason(self, catalogue, people):
        item_id = await people.draft()
        await people.act(item_id, "submit")
        answer = await people.act(item_id, "reject", reason="时限请与县里承诺一致")
        assert (answer.json()["status"], answer.json()["draft"]["state"]) == ("draft", "draft")
        assert (await people.save(item_id, name="改好了")).status_code == 200
        await people.approve(item_id)

    async def test_needs_a_reason(self, catalogue, people):
        item_id = await people.draft()
        await people.act(item_id, "submit")
        answer = await people.act(item_id, "reject")
        assert (answer.status_code, answer.json()["code"]) == (422, "reason-missing")
        assert (await people.state(item_id))["status"] == "in-review"


class TestPauseResumeRetire:
    async def test_a_pause_is_shown_and_told(self, catalogue, people):
        item_id = await people.publish()
        answer = await people.act(item_id, "pause", reason="系统升级，五月八日恢复")
        assert answer.status_code == 200
        item = (await catalogue.client.get(f"/v1/items/{item_id}")).json()
        assert item["status"] == "paused"
        assert item["status_text"] == "暂停办理：系统升级，五月八日恢复"
        event_type, body = (await catalogue.events())[-1]
        assert event_type == ItemPaused.event_type
        assert ItemPaused.model_validate(body).reason == "系统升级，五月八日恢复"

    async def test_resumed_it_may_be_applied_for(self, catalogue, people):
        item_id = await people.publish()
        await people.act(item_id, "pause", reason="系统升级")
        assert (await people.act(item_id, "resume")).json()["status_text"] == "可以办理"
        types = [event_type for event_type, _ in await catalogue.events()]
        assert types == [
            ItemPublished.event_type,
            ItemPaused.event_type,
            ItemPublished.event_type,
        ]
        revisions = [body["revision"] for _, body in await catalogue.events()]
        assert revisions == sorted(revisions)

    async def test_a_new_text_of_a_paused_item_does_not_resume_it(self, catalogue, people):
        item_id = await people.publish(name="一版")
        await people.act(item_id, "pause", reason="材料要改")
        await people.save(item_id, name="二版")
        await people.approve(item_id)
        state = await people.state(item_id)
        assert (state["status"], state["current_version"]) == ("paused", 2)
        assert state["status_reason"] == "材料要改"
        event_type, body = (await catalogue.events())[-1]
        assert (event_type, body["version"]) == (ItemPaused.event_type, 2)
        assert body["reason"] == "材料要改"

    async def test_retired_it_stays_readable_and_is_over(self, catalogue, people):
        item_id = await people.publish()
        await people.save(item_id, name="没写完的新版")
        assert (await people.act(item_id, "retire", reason="并入两项补贴")).status_code == 200
        item = (await catalogue.client.get(f"/v1/items/{item_id}")).json()
        assert item["status_text"] == "已取消：并入两项补贴"
        assert await catalogue.count("item_draft") == 0
        assert (await catalogue.events())[-1][0] == ItemRetired.event_type
        for action in ("submit", "publish", "pause", "resume", "retire"):
            answer = await people.act(item_id, action, reason="再试")
            assert (answer.status_code, answer.json()["code"]) == (409, "item-action-refused")
        assert (await people.save(item_id)).json()["code"] == "draft-locked"

    @pytest.mark.parametrize("action", ["pause", "retire"])
    async def test_residents_are_told_why(self, catalogue, people, action):
        item_id = await people.publish()
        answer = await people.act(item_id, action)
        assert (answer.status_code, answer.json()["code"]) == (422, "reason-missing")
        assert (await people.state(item_id))["status"] == "published"
        assert len(await catalogue.events()) == 1

    async def test_a_state_without_the_step_refuses_it(self, catalogue, people):
        item_id = await people.publish()
        answer = await people.act(item_id, "resume")
        assert (answer.status_code, answer.json()["code"]) == (409, "item-action-refused")


class TestActions:
    @pytest.mark.parametrize(
        ("action", "headers", "status", "code"),
        [
            ("submit", {}, 401, "unauthenticated"),
            ("submit", resident(), 403, "wrong-role"),
            ("submit", bearer("catalogue-approver"), 403, "wrong-role"),
            ("publish", bearer("catalogue-editor"), 403, "wrong-role"),
            ("reject", bearer("catalogue-editor"), 403, "wrong-role"),
            ("pause", bearer("catalogue-editor"), 403, "wrong-role"),
            ("pause", bearer("auditor"), 403, "wrong-role"),
            ("resume", bearer("catalogue-editor"), 403, "wrong-role"),
            ("retire", bearer("supervisor"), 403, "wrong-role"),
            ("submit", bearer("catalogue-editor", division=OTHER_COUNTY), 403, "wrong-division"),
            ("publish", bearer("catalogue-approver", division=OTHER_COUNTY), 403, "wrong-division"),
            ("pause", bearer("catalogue-approver", division=None), 403, "wrong-division"),
        ],
    )
    async def test_each_is_for_its_role_and_division(
        self, catalogue, people, action, headers, status, code
    ):
        item_id = await people.draft()
        if action != "submit":
            await people.act(item_id, "submit")
        before = await people.state(item_id)
        answer = await catalogue.client.post(
            f"/v1/items/{item_id}/actions/{action}",
            json={"reason": "试一试"},
            headers=headers | {"If-Match": f'"{before["version"]}"'},
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await people.state(item_id) == before
        assert await catalogue.events() == []

    async def test_a_stale_version_is_refused(self, catalogue, people):
        item_id = await people.draft()
        await people.save(item_id)
        answer = await people.act(item_id, "submit", **{"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["code"]) == (409, "stale-version")

    async def test_an_unknown_item_and_an_unknown_action(self, catalogue, people):
        headers = people.editor() | {"If-Match": '"1"'}
        path = f"/v1/items/{UNKNOWN}/actions"
        answer = await catalogue.client.post(f"{path}/submit", json={}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "item-not-found")
        answer = await catalogue.client.post(f"{path}/explode", json={}, headers=headers)
        assert answer.status_code == 422

    async def test_the_body_is_checked(self, catalogue, people):
        item_id = await people.draft()
        bodies: tuple[object, ...] = ({"reason": ""}, {"reason": 1}, {"why": "x"}, [])
        for body in bodies:
            answer = await catalogue.client.post(
                f"/v1/items/{item_id}/actions/submit",
                json=body,
                headers=people.editor() | {"If-Match": '"1"'},
            )
            assert answer.status_code == 422
        assert (await people.state(item_id))["status"] == "draft"

    async def test_every_step_is_in_the_history(self, catalogue, people):
        item_id = await people.draft()
        await people.act(item_id, "submit")
        await people.act(item_id, "reject", reason="写清楚")
        await people.save(item_id)
        await people.approve(item_id)
        await people.act(item_id, "pause", reason="停电")
        answer = await catalogue.client.get(
            f"/v1/items/{item_id}/history", headers=people.approver()
        )
        told = [
            (entry["action"], entry["from_status"], entry["to_status"], entry["actor_name"])
            for entry in reversed(answer.json()["items"])
        ]
        assert told == [
            ("create", None, "draft", "编辑员"),
            ("submit", "draft", "in-review", "编辑员"),
            ("reject", "in-review", "draft", "审核员"),
            ("save", "draft", "draft", "编辑员"),
            ("submit", "draft", "in-review", "编辑员"),
            ("publish", "in-review", "published", "审核员"),
            ("pause", "published", "paused", "审核员"),
        ]
        assert answer.json()["items"][0]["reason"] == "停电"
        assert answer.json()["items"][1]["version_number"] == 1
