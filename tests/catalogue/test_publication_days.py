"""Publication on a day to come, and what two versions say differently."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.timers import Timers
from services.catalogue.items import steps
from services.catalogue.items.differences import differences
from services.catalogue.worker import create_worker
from tests.catalogue.factories import make_material

REASON = "新标准从下月起执行"


def in_days(days: int) -> str:
    return str(steps.today() + timedelta(days=days))


@pytest.fixture
def timers(catalogue):
    return Timers(catalogue.database, create_worker(catalogue.settings).timers)


@pytest.fixture
def approve(catalogue, people):
    async def approve(item_id, day, headers=None):
        return await catalogue.client.post(
            f"/v1/items/{item_id}/actions/publish",
            json={"reason": REASON, "publish_on": day},
            headers=(headers or people.approver()) | {"If-Match": await people.tag(item_id)},
        )

    return approve


async def submitted(people, **overrides):
    item_id = await people.draft(**overrides)
    await people.act(item_id, "submit")
    return item_id


async def draft_of(catalogue, people, item_id):
    answer = await catalogue.client.get(f"/v1/items/{item_id}", headers=people.editor())
    return answer.json()["draft"]


async def arrive(catalogue):
    await catalogue.fetch("UPDATE timer SET due_at = now() - interval '1 second'")


class TestDays:
    async def test_it_is_published_on_the_day_and_not_before(
        self, catalogue, people, approve, timers
    ):
        item_id = await submitted(people)
        answer = await approve(item_id, in_days(3))
        assert (answer.status_code, answer.json()["status"]) == (200, "in-review"), answer.text
        draft = await draft_of(catalogue, people, item_id)
        assert (draft["state"], draft["publish_on"], draft["approver_name"]) == (
            "scheduled", in_days(3), "审核员",
        )  # fmt: skip
        assert await timers.run_due() == 0
        assert await catalogue.events() == []
        await arrive(catalogue)
        assert await timers.run_due() == 1
        state = await people.state(item_id)
        assert (state["status"], state["current_version"]) == ("published", 1)
        assert len(await catalogue.events()) == 1
        history = await catalogue.client.get(
            f"/v1/items/{item_id}/history", headers=people.editor()
        )
        done = [(each["action"], each["actor_name"]) for each in history.json()["items"]]
        assert done[:2] == [("publish", "审核员"), ("schedule", "审核员")]
        assert REASON in history.json()["items"][1]["reason"]

    async def test_it_can_be_taken_back_or_brought_forward(
        self, catalogue, people, approve, timers
    ):
        item_id = await submitted(people)
        await approve(item_id, in_days(3))
        locked = await people.save(item_id, name="改名")
        assert locked.json()["code"] == "draft-locked"
        assert (await people.act(item_id, "reject", reason="再改")).status_code == 200
        assert await catalogue.count("timer") == 0
        assert (await draft_of(catalogue, people, item_id))["state"] == "draft"
        await people.act(item_id, "submit")
        await approve(item_id, in_days(3))
        assert (await people.act(item_id, "publish")).status_code == 200
        assert await catalogue.count("timer") == 0
        assert await timers.run_due() == 0

    @pytest.mark.parametrize("days", [0, -1, 400])
    async def test_only_days_to_come(self, catalogue, people, approve, days):
        item_id = await submitted(people)
        answer = await approve(item_id, in_days(days))
        assert (answer.status_code, answer.json()["code"]) == (422, "publish-on-unusable")
        assert await catalogue.count("timer") == 0

    async def test_only_another_hand(self, catalogue, people, approve):
        item_id = await submitted(people)
        writer = people.approver(account_id=people.editor_id)
        assert (await approve(item_id, in_days(2), writer)).json()["code"] == "two-hands"
        assert (await approve(item_id, in_days(2), people.editor())).status_code == 403
        stopped = await catalogue.client.post(
            f"/v1/items/{item_id}/actions/reject",
            json={"reason": "x", "publish_on": in_days(2)},
            headers=people.approver() | {"If-Match": await people.tag(item_id)},
        )
        assert stopped.json()["code"] == "publish-on-unusable"
        assert await catalogue.count("timer") == 0

    async def test_what_breaks_a_rule_by_then_goes_back(self, catalogue, people, approve, timers):
        item_id = await submitted(people)
        await approve(item_id, in_days(3))
        await catalogue.fetch(
            "UPDATE item_draft SET content = jsonb_set(content, '{summary}', '\"详见附件\"')"
        )
        await arrive(catalogue)
        assert await timers.run_due() == 1
        assert (await draft_of(catalogue, people, item_id))["state"] == "in-review"
        history = await catalogue.client.get(
            f"/v1/items/{item_id}/history", headers=people.editor()
        )
        assert history.json()["items"][0]["action"] == "publication-failed"
        assert await catalogue.events() == []

    async def test_a_timer_without_its_draft_does_nothing(self, catalogue, people):
        item_id = await people.publish()
        async with catalogue.database.transaction() as session:
            await steps.publish_scheduled(session, UUID(item_id))
            await steps.publish_scheduled(session, uuid4())
        assert (await people.state(item_id))["current_version"] == 1


def without_missing(text):
    """A text without the elements that are None, which stands for missing."""
    if isinstance(text, dict):
        return {name: without_missing(each) for name, each in text.items() if each is not None}
    return [without_missing(each) for each in text] if isinstance(text, list) else text


class TestDifferences:
    async def test_two_versions_and_the_draft_are_compared(self, catalogue, people):
        item_id = await people.publish()
        await people.save(item_id, name="新名称", materials=[make_material(copies=1)])
        await people.approve(item_id)
        await people.save(item_id, name="更新的名称", materials=[make_material(copies=1)])
        path = f"/v1/items/{item_id}/differences"
        public = await catalogue.client.get(path, params={"before": 1, "after": 2})
        assert [each["path"] for each in public.json()["changes"]] == [
            "/name", "/materials/disability-certificate/copies",
        ]  # fmt: skip
        draft = await catalogue.client.get(path, params={"before": 2}, headers=people.editor())
        assert draft.json()["changes"] == [
            {"path": "/name", "before": "新名称", "after": "更新的名称"}
        ]
        hidden = await catalogue.client.get(path, params={"before": 2})
        missing = await catalogue.client.get(path, params={"before": 2, "after": 9})
        assert (hidden.status_code, missing.status_code) == (404, 404)
        other = people.editor(division="140821000000")
        elsewhere = await catalogue.client.get(path, params={"before": 2}, headers=other)
        assert elsewhere.status_code == 404

    leaves = st.none() | st.integers(0, 3) | st.text("ab", max_size=2)
    texts = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "key", "a", "b"]), inner, max_size=3),
        max_leaves=8,
    )  # fmt: skip

    @given(texts, texts)
    @settings(max_examples=80)
    def test_there_is_one_exactly_when_they_differ(self, before, after):
        assert list(differences(before, before)) == []
        found = list(differences({"x": before}, {"x": after}))
        if found:
            assert before != after
        else:
            assert without_missing(before) == without_missing(after)
