"""The basic catalogue: who keeps it, and that items follow it."""

import asyncio
from uuid import uuid4

import pytest

from tests.catalogue.factories import CITY, COUNTY, IMPLEMENTATION, make_elements, make_item
from tests.support.tokens import bearer

PATH = "/v1/basic-items"
CODE = IMPLEMENTATION[-12:]
NAME = "困难残疾人生活补贴"


def entry(**overrides):
    values = {
        "basic_code": CODE,
        "division_code": COUNTY,
        "name": NAME,
        "task_type": "05",
        "levels": ["county", "township"],
        "source": "省级基本目录 2023 年版",
    }
    return values | overrides


def change(**overrides):
    values = entry(state="in-use", reason="按新版目录更正", **overrides)
    return {name: values[name] for name in values.keys() - {"basic_code", "division_code"}}


@pytest.fixture
def post(catalogue, people):
    async def post(body, headers=None):
        return await catalogue.client.post(PATH, json=body, headers=headers or people.editor())

    return post


class TestKeeping:
    async def test_an_entry_is_added_changed_and_remembered(self, catalogue, people, post):
        created = await post(entry())
        assert created.status_code == 201, created.text
        location = created.headers["location"]
        tagged = people.editor() | {"If-Match": created.headers["etag"]}
        changed = await catalogue.client.put(
            location, json=change(name="残疾人生活补贴"), headers=tagged
        )
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        stale = await catalogue.client.put(location, json=change(), headers=tagged)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
        history = await catalogue.client.get(f"{location}/history", headers=people.editor())
        assert [row["content"]["name"] for row in history.json()["items"]] == [
            "残疾人生活补贴",
            NAME,
        ]
        assert history.json()["items"][0]["reason"] == "按新版目录更正"

    async def test_of_two_changes_at_once_one_is_kept(self, catalogue, people, post):
        location = (await post(entry())).headers["location"]
        tagged = people.editor() | {"If-Match": '"1"'}
        answers = await asyncio.gather(
            *(catalogue.client.put(location, json=change(), headers=tagged) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert (await catalogue.client.get(location)).headers["etag"] == '"2"'

    async def test_anybody_reads_it_from_where_they_are(self, catalogue, people, post):
        await post(entry(division_code=CITY), people.editor(division=CITY))
        for division, count in ((COUNTY, 1), ("140900000000", 0)):
            page = await catalogue.client.get(PATH, params={"division": division})
            assert len(page.json()["items"]) == count
        found = page = await catalogue.client.get(PATH, params={"basic_code": CODE})
        one = f"{PATH}/{found.json()['items'][0]['id']}"
        first = await catalogue.client.get(one)
        again = await catalogue.client.get(one, headers={"If-None-Match": first.headers["etag"]})
        assert (first.json()["name"], again.status_code) == (NAME, 304)
        assert (await catalogue.client.get(f"{PATH}/{uuid4()}")).status_code == 404

    @pytest.mark.parametrize(
        ("body", "who", "status"),
        [
            ({}, {}, 401),
            ({}, bearer("catalogue-approver"), 403),
            ({}, bearer("catalogue-editor", division="140821000000"), 403),
            ({"basic_code": "1405110"}, None, 422),
            ({"task_type": "07"}, None, 422),
            ({"levels": ["moon"]}, None, 422),
            ({"extra": 1}, None, 422),
        ],
    )
    async def test_refused(self, catalogue, people, post, body, who, status):
        headers = people.editor() if who is None else (who or {"x-nobody": "1"})
        assert (await post(entry(**body), headers)).status_code == status
        assert await catalogue.count("basic_item") == 0

    async def test_once_however_often_it_is_sent(self, catalogue, people, post):
        keyed = people.editor() | {"Idempotency-Key": "once"}
        answers = await asyncio.gather(*(post(entry(), keyed) for _ in range(2)))
        assert [each.status_code for each in answers] == [201, 201]
        taken = await post(entry())
        assert (taken.status_code, taken.json()["code"]) == (409, "basic-code-taken")
        assert await catalogue.count("basic_item") == 1

    async def test_history_is_for_staff_of_the_division(self, catalogue, people, post):
        location = (await post(entry())).headers["location"]
        path = f"{location}/history"
        assert (await catalogue.client.get(path)).status_code == 401
        other = people.editor(division="140821000000")
        assert (await catalogue.client.get(path, headers=other)).status_code == 403
        wrong = await catalogue.client.put(
            location, json=change(), headers=other | {"If-Match": '"1"'}
        )
        assert wrong.status_code == 403
        assert (await catalogue.client.put(location, json=change(), headers=people.editor())
                ).status_code == 428  # fmt: skip


class TestLevels:
    async def test_an_item_and_its_parts_are_found_by_its_codes(self, catalogue, people):
        whole = make_elements()
        part = make_elements(codes=whole["codes"] | {"handling": IMPLEMENTATION + "01"})
        await people.publish(item_code=IMPLEMENTATION, elements=whole)
        await people.publish(item_code=IMPLEMENTATION + "01", elements=part, name="新申请")
        await people.publish(item_code="88888888")
        for name, value in (("implementation_code", IMPLEMENTATION), ("basic_code", CODE)):
            page = await catalogue.client.get("/v1/items", params={name: value})
            assert [(each["tier"], each["basic_code"]) for each in page.json()["items"]] == [
                ("implementation", CODE),
                ("handling", CODE),
            ]


class TestItemsFollowIt:
    async def test_an_item_says_what_its_entry_says(self, catalogue, people, post):
        await post(entry(levels=["township"], task_type="05", basis="另一依据"))
        item = {"item_code": IMPLEMENTATION, "elements": make_elements(), "name": "补贴"}
        answer = await catalogue.client.post(
            "/v1/items", json=make_item() | item, headers=people.editor()
        )
        assert answer.json()["code"] == "item-inconsistent"
        assert {each["type"] for each in answer.json()["errors"]} == {
            "unified-name",
            "unified-level",
            "unified-basis",
        }
        assert await catalogue.count("item") == 0

    async def test_a_nearer_entry_counts_and_a_cancelled_one_does_not(
        self, catalogue, people, post
    ):
        await post(entry(division_code=CITY, name="市里的名称"), people.editor(division=CITY))
        created = await post(entry())
        body = make_item() | {"item_code": IMPLEMENTATION, "elements": make_elements()}
        answer = await catalogue.client.post("/v1/items", json=body, headers=people.editor())
        assert answer.status_code == 201, answer.text
        cancelled = await catalogue.client.put(
            created.headers["location"],
            json=change() | {"state": "cancelled"},
            headers=people.editor() | {"If-Match": created.headers["etag"]},
        )
        assert cancelled.status_code == 200
        again = await catalogue.client.put(
            f"/v1/items/{answer.json()['id']}/draft",
            json={k: body[k] for k in body.keys() - {"item_code", "division_code"}},
            headers=people.editor() | {"If-Match": answer.headers["etag"]},
        )
        assert [each["type"] for each in again.json()["errors"]] == ["unified-name"]
