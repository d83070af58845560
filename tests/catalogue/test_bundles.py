"""Bundles: two hands, merged materials, eligibility, and what other services are told."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.catalogue import BundlePublished, BundleRetired, ItemRevised, ItemState
from contracts.registry import BY_TYPE
from services.catalogue.bundles.consumers import follow_item
from services.catalogue.bundles.schemas import BundleRead, Eligibility
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, make_form, make_material
from tests.support.tokens import bearer, resident

UNKNOWN = "00000000-0000-7000-8000-000000000000"
POVERTY = {"question": "family", "any_of": ["yes"]}


def make_bundle(first: str, second: str, **overrides: Any) -> dict[str, Any]:
    bundle = {
        "bundle_code": f"provisional:bundle-{uuid4().hex[:8]}",
        "division_code": COUNTY,
        "name": "残疾人服务一件事",
        "aliases": ["残疾人一件事"],
        "summary": "残疾人证和补贴一次申请，材料只交一份。",
        "source": "国发〔2024〕3号 附件",
        "provisional": True,
        "theme": "disabled-person",
        "channels": ["portal", "window"],
        "items": [{"item_id": first, "stage": 1}, {"item_id": second, "stage": 2}],
        "same_materials": [],
        "questions": [
            {
                "code": "family",
                "text": "家里是低保家庭吗？",
                "options": [{"code": "yes", "text": "是"}, {"code": "no", "text": "不是"}],
            }
        ],
        "rules": [{"item_id": second, "when": [POVERTY], "because": "低保家庭可以领补贴"}],
    }
    return bundle | overrides


def content_of(bundle: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in bundle.items() if k not in ("bundle_code", "division_code")}


class Bundles:
    """The usual things done with bundles."""

    def __init__(self, catalogue, people) -> None:
        self.client, self.people = catalogue.client, people

    async def items(self) -> tuple[str, str]:
        card = make_material(code="identity-card", name="身份证", necessity="waivable")
        first = await self.people.publish(name="残疾人证办理", materials=[card])
        second = await self.people.publish(
            name="生活补贴",
            materials=[card | {"necessity": "required", "copies": 1}, make_material()],
        )
        return first, second

    async def draft(self, body: dict[str, Any]) -> str:
        answer = await self.client.post("/v1/bundles", json=body, headers=self.people.editor())
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def tag(self, bundle_id: str) -> str:
        answer = await self.client.get(f"/v1/bundles/{bundle_id}", headers=self.people.editor())
        return answer.headers["etag"]

    async def act(self, bundle_id: str, action: str, reason: str | None = None, **headers):
        who = self.people.editor() if action == "submit" else self.people.approver()
        return await self.client.post(
            f"/v1/bundles/{bundle_id}/actions/{action}",
            json={"reason": reason},
            headers=who | {"If-Match": await self.tag(bundle_id)} | headers,
        )

    async def publish(self, **overrides: Any) -> tuple[str, str, str]:
        first, second = await self.items()
        bundle_id = await self.draft(make_bundle(first, second, **overrides))
        for action in ("submit", "publish"):
            answer = await self.act(bundle_id, action)
            assert answer.status_code == 200, answer.text
        return bundle_id, first, second


@pytest.fixture
def bundles(catalogue, people) -> Bundles:
    return Bundles(catalogue, people)


async def told(catalogue) -> list[Any]:
    return [
        BY_TYPE[kind].model_validate(body)
        for kind, body in await catalogue.events()
        if ".bundle-" in kind
    ]


class TestPublish:
    async def test_residents_see_each_material_once_and_requests_is_told(self, catalogue, bundles):
        bundle_id, first, second = await bundles.publish()
        answer = await catalogue.client.get(f"/v1/bundles/{bundle_id}")
        read = BundleRead.model_validate(answer.json())
        assert [each.name for each in read.items] == ["残疾人证办理", "生活补贴"]
        card, disability = read.materials
        assert (card.code, card.necessity, card.copies) == ("identity-card", "required", 1)
        assert [each.item_name for each in card.needed_by] == ["残疾人证办理", "生活补贴"]
        assert [str(each.item_id) for each in disability.needed_by] == [second]
        [event] = await told(catalogue)
        assert isinstance(event, BundlePublished)
        assert (str(event.bundle_id), event.version) == (bundle_id, 1)
        assert [str(each.item_id) for each in event.items] == [first, second]
        assert [each.stage for each in event.items] == [1, 2]
        assert [len(each.needed_by) for each in event.materials] == [2, 1]
        assert event.shared_fields == ("account", "grade")
        assert event.rules[0].because == "低保家庭可以领补贴"

    async def test_nobody_publishes_what_they_wrote(self, catalogue, bundles, people):
        bundle_id = await bundles.draft(make_bundle(*await bundles.items()))
        await bundles.act(bundle_id, "submit")
        both = bearer(
            "catalogue-editor", "catalogue-approver", account_id=people.editor_id, division=COUNTY
        )
        answer = await bundles.act(bundle_id, "publish", **both)
        assert (answer.status_code, answer.json()["code"]) == (403, "two-hands")
        assert await told(catalogue) == []
        assert await catalogue.count("bundle_version") == 0

    async def test_two_approvers_at_once_publish_once(self, catalogue, bundles, people):
        bundle_id = await bundles.draft(make_bundle(*await bundles.items()))
        await bundles.act(bundle_id, "submit")
        tag = await bundles.tag(bundle_id)
        answers = await asyncio.gather(
            *(
                catalogue.client.post(
                    f"/v1/bundles/{bundle_id}/actions/publish",
                    json={},
                    headers=people.approver(account_id=uuid4()) | {"If-Match": tag},
                )
                for _ in range(4)
            )
        )
        assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
        assert len(await told(catalogue)) == 1

    async def test_a_repeat_with_the_key_does_nothing_again(self, catalogue, bundles, people):
        body = make_bundle(*await bundles.items())
        headers = people.editor() | {"Idempotency-Key": "bundle-1"}
        first = await catalogue.client.post("/v1/bundles", json=body, headers=headers)
        again = await catalogue.client.post("/v1/bundles", json=body, headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        assert await catalogue.count("bundle") == 1
        fresh = await catalogue.client.post("/v1/bundles", json=body, headers=people.editor())
        assert (fresh.status_code, fresh.json()["code"]) == (409, "bundle-code-taken")

    async def test_published_versions_are_kept_as_they_were(self, catalogue, bundles, people):
        bundle_id, first, second = await bundles.publish()
        saved = await catalogue.client.put(
            f"/v1/bundles/{bundle_id}/draft",
            json=content_of(make_bundle(first, second, name="改了名的一件事")),
            headers=people.editor() | {"If-Match": await bundles.tag(bundle_id)},
        )
        assert saved.status_code == 200, saved.text
        for action in ("submit", "publish"):
            await bundles.act(bundle_id, action)
        answer = await catalogue.client.get(f"/v1/bundles/{bundle_id}/versions")
        versions = answer.json()["items"]
        assert [(each["number"], each["content"]["name"]) for each in versions] == [
            (2, "改了名的一件事"),
            (1, "残疾人服务一件事"),
        ]
        assert "author_name" not in versions[0] or versions[0]["author_name"] is None
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            await catalogue.fetch("UPDATE bundle_version SET reason = 'x'")
        history = await catalogue.client.get(
            f"/v1/bundles/{bundle_id}/history", headers=people.approver()
        )
        assert [each["action"] for each in history.json()["items"]][-3:] == [
            "publish",
            "submit",
            "create",
        ]

    async def test_retiring_needs_a_reason_and_is_told(self, catalogue, bundles):
        bundle_id, *_ = await bundles.publish()
        missing = await bundles.act(bundle_id, "retire")
        assert (missing.status_code, missing.json()["code"]) == (422, "reason-missing")
        assert (await bundles.act(bundle_id, "retire", "并入新的一件事")).status_code == 200
        assert isinstance((await told(catalogue))[-1], BundleRetired)
        assert (await catalogue.client.get("/v1/bundles")).json()["items"] == []
        assert (await bundles.act(bundle_id, "submit")).json()["code"] == "item-action-refused"


class TestRefusals:
    async def test_everything_wrong_is_listed_and_nothing_written(self, catalogue, bundles, people):
        first, second = await bundles.items()
        people.division = CITY
        elsewhere = await people.publish(division_code=OTHER_COUNTY, channels=["portal", "agent"])
        body = make_bundle(
            first,
            elsewhere,
            items=[
                {"item_id": first, "stage": 1},
                {"item_id": elsewhere, "stage": 3},
                {"item_id": UNKNOWN, "stage": 3},
            ],
            same_materials=[
                {
                    "code": "card",
                    "name": "证",
                    "members": [
                        {"item_id": first, "material_code": "identity-card"},
                        {"item_id": first, "material_code": "not-there"},
                    ],
                }
            ],
            rules=[
                {
                    "item_id": second,
                    "when": [{"question": "family", "any_of": ["maybe"]}],
                    "because": "x",
                }
            ],
        )
        body["questions"].append(body["questions"][0] | {"code": "idle", "text": "没用的问题"})
        answer = await catalogue.client.post("/v1/bundles", json=body, headers=people.editor())
        assert (answer.status_code, answer.json()["code"]) == (422, "bundle-inconsistent")
        found = {each["type"] for each in answer.json()["errors"]}
        assert found == {
            "item-not-public", "item-elsewhere", "channel-not-offered", "stage-gap",
            "material-unknown", "question-unused", "item-unknown", "option-unknown",
        }  # fmt: skip
        assert all(each["remedy"] for each in answer.json()["errors"])
        malformed = await catalogue.client.post(
            "/v1/bundles", json=body | {"items": []}, headers=people.editor()
        )
        assert (malformed.status_code, malformed.json()["code"]) == (422, "invalid-request")
        assert await catalogue.count("bundle") == 0
        assert await told(catalogue) == []

    async def test_the_wrong_role_division_and_person(self, catalogue, bundles, people):
        bundle_id = await bundles.draft(make_bundle(*await bundles.items()))
        body = make_bundle(UNKNOWN, UNKNOWN)
        tagged = {"If-Match": await bundles.tag(bundle_id)}
        path = f"/v1/bundles/{bundle_id}"
        far = {"division": OTHER_COUNTY}
        tried = [
            ("POST", "/v1/bundles", body, {}, 401),
            ("POST", "/v1/bundles", body, resident(), 403),
            ("POST", "/v1/bundles", body, people.approver(), 403),
            ("POST", "/v1/bundles", body, people.editor(**far), 403),
            ("PUT", f"{path}/draft", content_of(body), people.editor(**far) | tagged, 403),
            ("PUT", f"{path}/draft", content_of(body), people.approver() | tagged, 403),
            ("PUT", f"{path}/draft", content_of(body), people.editor(), 428),
            ("POST", f"{path}/actions/submit", {}, people.editor(**far) | tagged, 403),
            ("POST", f"{path}/actions/submit", {}, people.approver() | tagged, 403),
            ("POST", f"{path}/actions/submit", {}, people.editor() | {"If-Match": '"9"'}, 409),
            ("POST", f"{path}/actions/pause", {}, people.approver() | tagged, 422),
            ("GET", path, None, {}, 404),
            ("GET", path, None, people.editor(**far), 404),
            ("GET", f"{path}/history", None, people.editor(**far), 403),
            ("GET", f"{path}/history", None, resident(), 403),
            ("GET", f"{path}/eligibility", None, {}, 404),
            ("GET", "/v1/bundles?status=draft", None, {}, 401),
            ("GET", "/v1/bundles?status=draft", None, resident(), 403),
        ]
        for method, url, sent, headers, status in tried:
            answer = await catalogue.client.request(method, url, json=sent, headers=headers)
            assert answer.status_code == status, (method, url, answer.text)
        assert await catalogue.count("bundle_history") == 1
        auditor = bearer("auditor", division=CITY)
        assert (await catalogue.client.get(path, headers=auditor)).status_code == 200


class TestEligibility:
    async def test_says_which_items_apply_and_why(self, catalogue, bundles):
        bundle_id, first, second = await bundles.publish()
        path = f"/v1/bundles/{bundle_id}/eligibility"

        async def asked(*options: str) -> Eligibility:
            answer = await catalogue.client.get(path, params={"option": options})
            assert answer.status_code == 200, answer.text
            return Eligibility.model_validate(answer.json())

        nothing = await asked()
        assert nothing.next_question == "family"
        assert [each.applies for each in nothing.items] == [True, None]
        yes = await asked("family:yes")
        assert [(str(each.item_id), each.applies) for each in yes.items] == [
            (first, True),
            (second, True),
        ]
        assert yes.items[1].because == "低保家庭可以领补贴"
        assert len(yes.materials) == 2
        no = await asked("family:no")
        assert (no.next_question, [each.applies for each in no.items]) == (None, [True, False])
        # Only the item that applies asks, as strictly as it does.
        assert [(each.code, each.necessity) for each in no.materials] == [
            ("identity-card", "waivable")
        ]

    @pytest.mark.parametrize("options", [["family:maybe"], ["x"], ["family:yes", "family:no"]])
    async def test_answers_that_are_none_of_it(self, catalogue, bundles, options):
        bundle_id, *_ = await bundles.publish()
        answer = await catalogue.client.get(
            f"/v1/bundles/{bundle_id}/eligibility", params={"option": options}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "answer-unknown")


class TestFollowingItems:
    async def test_a_changed_item_is_told_with_its_bundle_once(self, catalogue, bundles, people):
        _, _, second = await bundles.publish()
        await people.save(
            second, name="生活补贴", materials=[make_material(code="new")], form=make_form()
        )
        await people.approve(second)
        told_items = [BY_TYPE[kind].model_validate(body) for kind, body in await catalogue.events()]
        items = [event for event in told_items if isinstance(event, ItemState)]
        newest = items[-1]
        assert (type(newest), str(newest.item_id)) == (ItemRevised, second)

        async def deliver(event: ItemState) -> None:
            async with catalogue.database.transaction() as session:
                await follow_item(session, event, None)  # type: ignore[arg-type]

        await deliver(items[0])  # older than what the bundle was told with
        assert len(await told(catalogue)) == 1
        await deliver(newest)
        await deliver(newest)
        before, after = await told(catalogue)
        assert [each.code for each in after.materials] == ["identity-card", "new"]
        assert (after.version, after.revision > before.revision) == (1, True)

    async def test_a_retired_item_drops_out(self, catalogue, bundles, people):
        bundle_id, first, second = await bundles.publish()
        await people.act(second, "retire", reason="合并")
        read = (await catalogue.client.get(f"/v1/bundles/{bundle_id}")).json()
        assert [each["item_id"] for each in read["items"]] == [first]
        assert [each["code"] for each in read["materials"]] == ["identity-card"]
        [_, *_, (kind, body)] = await catalogue.events()
        async with catalogue.database.transaction() as session:
            await follow_item(session, BY_TYPE[kind].model_validate(body), None)  # type: ignore[arg-type]
        event = (await told(catalogue))[-1]
        assert ([str(each.item_id) for each in event.items], event.rules) == ([first], ())
        assert UUID(first) in {need.item_id for m in event.materials for need in m.needed_by}


async def test_lists_are_of_a_division_and_a_theme(catalogue, bundles):
    bundle_id, *_ = await bundles.publish()

    async def listed(**params: str) -> list[str]:
        answer = await catalogue.client.get("/v1/bundles", params=params)
        return [each["id"] for each in answer.json()["items"]]

    assert await listed() == [bundle_id]
    assert await listed(division="140802001005", theme="disabled-person") == [bundle_id]
    assert await listed(theme="other") == []
    assert await listed(division=OTHER_COUNTY) == []
    first = await catalogue.client.get(f"/v1/bundles/{bundle_id}")
    again = await catalogue.client.get(
        f"/v1/bundles/{bundle_id}", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
