import asyncio

import pytest

from contracts.facilities import DivisionRecorded
from services.facilities.divisions.service import load
from tests.facilities.factories import OTHER_COUNTY, manager, recorded, statistician
from tests.facilities.test_divisions_loading import TREE
from tests.support.tokens import bearer, resident

URL = "/v1/division-changes"
TOWN, VILLAGE, SECOND = "140802100000", "140802100201", "140802100202"


@pytest.fixture
async def tree(bare):
    """A small tree of two villages, so that nothing shared is changed."""
    second = TREE[4].__class__(SECOND, "西村村委会", "community", TOWN, "village")
    async with bare.database.transaction() as session:
        await load(session, [*TREE, second], source="测试")
    await bare.fetch("DELETE FROM outbox_message")
    await bare.fetch(
        "INSERT INTO facility_type (code, name, group_code, group_name, form, is_comprehensive,"
        " has_daily_hours, provisional, source, position) VALUES ('party-mass-service-centre',"
        " '党群服务中心', 'g', 'g', 'place', true, true, true, '测试', 0)"
    )
    return bare


def change(kind, before=(), after=(), **overrides):
    values = {
        "kind": kind,
        "effective_on": "2026-03-01",
        "ordered_by": "测试〔2026〕1号",
        "before": list(before),
        "after": list(after),
    }
    return values | overrides


def village(code, name):
    return {"code": code, "name": name, "community_kind": "village"}


async def post(service, body, headers=None):
    return await service.client.post(URL, json=body, headers=headers or statistician())


async def read(service, code):
    return (await service.client.get(f"/v1/divisions/{code}")).json()


class TestRecordChange:
    async def test_a_new_name_and_the_old_one_still_found(self, tree):
        answer = await post(
            tree, change("rename", [VILLAGE], [{"code": VILLAGE, "name": "新东村村委会"}])
        )
        assert answer.status_code == 201, answer.text
        now = await read(tree, VILLAGE)
        assert (now["name"], now["former_names"]) == ("新东村村委会", ["东村村委会"])
        assert now["changes"][0]["before"] == [{"code": VILLAGE, "name": "东村村委会"}]
        found = await tree.client.get(
            "/v1/divisions/by-path", params={"name": "山西运城盐湖区解州镇东村"}
        )
        assert [entry["name"] for entry in found.json()] == ["新东村村委会"]
        [(_, event)] = await tree.events()
        assert DivisionRecorded.model_validate(event).name == "新东村村委会"

    async def test_merged_codes_answer_with_what_took_over_and_places_go_along(self, tree):
        body = await recorded(tree, division_code=SECOND, name="西村党群服务中心")
        merged = change("merge", [VILLAGE, SECOND], [{"code": VILLAGE, "name": "东西村村委会"}])
        answer = await post(tree, merged)
        assert answer.json()["moved_facilities"] == 1
        old = await read(tree, SECOND)
        assert (old["valid_until"], old["now"]) == (
            "2026-02-28", [{"code": VILLAGE, "name": "东西村村委会"}],
        )  # fmt: skip
        place = (await tree.client.get(f"/v1/facilities/{body['id']}")).json()
        assert (place["division_code"], place["version"]) == (VILLAGE, 2)
        listed = await tree.client.get(f"/v1/divisions?within={TOWN}&level=community")
        assert [entry["code"] for entry in listed.json()["items"]] == [VILLAGE]
        closed = next(event for _, event in await tree.events() if event.get("code") == SECOND)
        assert closed["valid_until"] == "2026-02-28"

    async def test_a_chain_of_changes_leads_to_those_in_force(self, tree):
        await post(tree, change("recode", [VILLAGE], [village("140802100203", "东村村委会")]))
        halves = [village("140802100204", "前村村委会"), village("140802100205", "后村村委会")]
        split = change("split", ["140802100203"], halves, effective_on="2026-05-01")
        assert (await post(tree, split)).status_code == 201
        now = (await read(tree, VILLAGE))["now"]
        assert [entry["name"] for entry in now] == ["前村村委会", "后村村委会"]
        changes = (await tree.client.get(f"{URL}?code=140802100203")).json()
        assert [entry["kind"] for entry in changes] == ["recode", "split"]
        gone = change("close", ["140802100204", "140802100205"], effective_on="2026-06-01")
        assert (await post(tree, gone)).status_code == 201
        assert (await read(tree, VILLAGE))["now"] == []

    async def test_a_split_leaves_its_places_to_be_assigned(self, tree):
        await recorded(tree, division_code=VILLAGE)
        halves = [village("140802100204", "前村村委会"), village("140802100001", "后村村委会")]
        answer = (await post(tree, change("split", [VILLAGE], halves))).json()
        assert (answer["moved_facilities"], answer["facilities_to_assign"]) == (0, 1)
        assert answer["warnings"] == ["140802100001 后村村委会: numbered as 居委会"]
        figures = await tree.client.get("/v1/communities/140802100204")
        assert figures.status_code == 200

    async def test_places_of_one_name_stop_a_merge(self, tree):
        for code in (VILLAGE, SECOND):
            await recorded(tree, division_code=code, name="党群服务中心")
        answer = await post(tree, change("merge", [VILLAGE, SECOND], [{"code": VILLAGE}]))
        assert (answer.status_code, answer.json()["names"]) == (409, ["党群服务中心"])
        assert await tree.count("division_change") == 0
        assert (await read(tree, SECOND))["valid_until"] is None

    @pytest.mark.parametrize(
        ("body", "faults"),
        [
            (
                change("rename", [VILLAGE], [{"code": VILLAGE}]),
                {("/after/0/name", "name-unchanged")},
            ),
            (
                change("merge", [VILLAGE, "140802100299"], [{"code": SECOND}]),
                {("/before/1", "division-unknown")},
            ),
            (
                change(
                    "split", [VILLAGE], [village(SECOND, "西村村委会"), {"code": "140802100207"}]
                ),
                {
                    ("/after/0/code", "code-used"),
                    ("/after/1/name", "name-missing"),
                    ("/after/1/community_kind", "kind"),
                },
            ),
            (change("close", [TOWN]), {("/before/0", "has-children")}),
            (change("close", []), {("/before", "count")}),
            (
                change("found", (), [village("140802999201", "无主村委会")]),
                {("/after/0/parent_code", "parent")},
            ),
            (
                change("close", [VILLAGE], effective_on="2999-01-01"),
                {("/effective_on", "not-yet")},
            ),
            (
                change("recode", [VILLAGE], [{"code": "140802102000", "name": "某镇"}]),
                {("/after", "levels-differ")},
            ),
        ],
    )
    async def test_every_fault_is_named_and_nothing_is_written(self, tree, body, faults):
        answer = await post(tree, body)
        assert answer.status_code == 422, answer.text
        assert {(error["path"], error["type"]) for error in answer.json()["errors"]} == faults
        assert await tree.count("division_change") == 0
        assert await tree.events() == []

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, "unauthenticated"),
            (resident(), "wrong-role"),
            (manager(), "wrong-role"),
            (statistician(OTHER_COUNTY), "wrong-division"),
            (bearer("operator", division=VILLAGE), "wrong-division"),
        ],
    )
    async def test_who_may_not(self, tree, headers, code):
        body = change("merge", [VILLAGE, SECOND], [{"code": VILLAGE}])
        answer = await tree.client.post(URL, json=body, headers=headers)
        assert answer.json()["code"] == code
        assert await tree.count("division_change") == 0

    async def test_a_repeat_changes_once_and_of_two_at_once_one_loses(self, tree):
        keyed = statistician() | {"Idempotency-Key": "change-1"}
        body = change("found", (), [village("140802100203", "北村村委会")])
        first = await post(tree, body, keyed)
        assert (await post(tree, body, keyed)).json() == first.json()
        answers = await asyncio.gather(*(post(tree, change("close", [VILLAGE])) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 422, 422]
        found = change("found", (), [village("140802100204", "南村村委会")])
        answers = await asyncio.gather(*(post(tree, found) for _ in range(3)))
        assert min(answer.status_code for answer in answers) == 201
        assert {answer.status_code for answer in answers} <= {201, 409, 422}
        assert await tree.count("division_change") == 3

    async def test_what_is_not_served_is_not_told(self, tree):
        await tree.fetch("UPDATE division SET is_published = false")
        body = change("found", (), [village("140802100203", "北村村委会")])
        assert (await post(tree, body)).status_code == 201
        assert await tree.events() == []


class TestByPath:
    @pytest.mark.parametrize(
        ("text", "path", "unread"),
        [
            ("山西省运城市盐湖区解州镇常平村委会", "解州镇/常平村委会", ""),
            ("山西省/运城市/盐湖区/解州镇", "盐湖区/解州镇", ""),
            ("运城盐湖区解州常平村", "解州镇/常平村委会", ""),
            ("盐湖区解州镇常平村三组", "解州镇/常平村委会", "三组"),
        ],
    )
    async def test_written_out_or_short(self, facilities, text, path, unread):
        answer = await facilities.client.get("/v1/divisions/by-path", params={"name": text})
        [found] = answer.json()
        assert found["path"].endswith(path)
        assert found["unread"] == unread

    @pytest.mark.parametrize("text", ["火星基地一号", "省市"])
    async def test_what_leads_nowhere(self, facilities, text):
        answer = await facilities.client.get("/v1/divisions/by-path", params={"name": text})
        assert answer.json() == []

    async def test_too_short(self, facilities):
        answer = await facilities.client.get("/v1/divisions/by-path", params={"name": "山"})
        assert answer.status_code == 422
