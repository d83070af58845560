"""Reading items: what the public sees, what staff sees, pages, versions, ETags."""

import pytest
from sqlalchemy import event

from services.catalogue.items.schemas import ItemHead, ItemRead, VersionHead, VersionRead
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE, make_score
from tests.support.tokens import bearer, resident

UNKNOWN = "00000000-0000-7000-8000-000000000000"


async def names(catalogue, query: str = "", headers: dict[str, str] | None = None) -> list[str]:
    answer = await catalogue.client.get(f"/v1/items{query}", headers=headers or {})
    assert answer.status_code == 200, answer.text
    for item in answer.json()["items"]:
        ItemHead.model_validate(item)
    return [item["name"] for item in answer.json()["items"]]


class TestReadItem:
    async def test_everything_a_resident_needs(self, catalogue, people):
        item_id = await people.publish()
        answer = await catalogue.client.get(f"/v1/items/{item_id}")
        item = ItemRead.model_validate(answer.json())
        assert item.form["required"] == ["grade"]
        assert item.materials[0].name == "残疾人证"
        assert item.limits.promised_days == 10
        assert item.score.model_dump() == {
            "rated": 0,
            "satisfaction_ratio": None,
            "average_stars": None,
        }
        assert item.effective_on is not None

    async def test_is_unchanged_until_the_item_or_its_score_changes(self, catalogue, people):
        item_id = await people.publish()
        path = f"/v1/items/{item_id}"
        tag = (await catalogue.client.get(path)).headers["etag"]
        answer = await catalogue.client.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        await people.score(make_score(item_id, rated=3))
        answer = await catalogue.client.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.json()["score"]["rated"]) == (200, 3)
        tag = answer.headers["etag"]
        await people.act(item_id, "pause", reason="停电")
        answer = await catalogue.client.get(path, headers={"If-None-Match": tag})
        assert answer.json()["status"] == "paused"

    async def test_the_public_tag_is_not_taken_for_an_edit(self, catalogue, people):
        item_id = await people.publish()
        tag = (await catalogue.client.get(f"/v1/items/{item_id}")).headers["etag"]
        answer = await people.act(item_id, "pause", reason="停电", **{"If-Match": tag})
        assert (answer.status_code, answer.json()["code"]) == (400, "version-malformed")

    async def test_unknown_and_malformed_ids(self, catalogue):
        answer = await catalogue.client.get(f"/v1/items/{UNKNOWN}")
        assert (answer.status_code, answer.json()["code"]) == (404, "item-not-found")
        assert (await catalogue.client.get("/v1/items/x")).status_code == 422

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            (bearer("catalogue-approver", division=COUNTY), 200),
            (bearer("auditor", division=CITY), 200),
            (bearer("window-clerk", division=COUNTY), 404),
            (bearer("catalogue-editor", division=OTHER_COUNTY), 404),
        ],
    )
    async def test_a_draft_is_for_staff_of_the_division(self, catalogue, people, headers, status):
        item_id = await people.draft()
        answer = await catalogue.client.get(f"/v1/items/{item_id}", headers=headers)
        assert answer.status_code == status


class TestListItems:
    async def test_everybody_sees_published_and_paused(self, catalogue, people):
        await people.draft(name="没公布的")
        await people.publish(name="能办的")
        paused = await people.publish(name="暂停的")
        await people.act(paused, "pause", reason="停电")
        retired = await people.publish(name="取消的")
        await people.act(retired, "retire", reason="合并")
        assert await names(catalogue) == ["能办的", "暂停的"]
        assert await names(catalogue, headers=resident()) == ["能办的", "暂停的"]
        assert await names(catalogue, "?status=paused") == ["暂停的"]

    async def test_filters(self, catalogue, people):
        await people.publish(name="民政的")
        await people.publish(name="医保的", department="medical-security")
        await people.publish(name="卫生的", supply_category="health")
        assert await names(catalogue, "?department=medical-security") == ["医保的"]
        assert await names(catalogue, "?category=health") == ["卫生的"]
        assert await names(catalogue, "?category=health&department=medical-security") == []

    async def test_a_division_is_offered_its_own_and_what_lies_above(self, catalogue, people):
        people.division = CITY
        for division, name in ((COUNTY, "县里的"), (OTHER_COUNTY, "邻县的"), (CITY, "市里的")):
            await people.publish(name=name, division_code=division)
        assert await names(catalogue, f"?division={VILLAGE}") == ["县里的", "市里的"]
        assert await names(catalogue, f"?division={CITY}") == ["市里的"]

    async def test_pages_follow_each_other_without_gap_or_repeat(self, catalogue, people):
        for number in range(5):
            await people.publish(name=f"事项{number}")
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            answer = await catalogue.client.get(
                "/v1/items", params={"limit": 2, **({"after": after} if after else {})}
            )
            seen += [item["name"] for item in answer.json()["items"]]
            after = answer.json()["next"]
        assert seen == [f"事项{number}" for number in range(5)]

    @pytest.mark.parametrize(
        "query",
        ["?after=xyz", "?after=WzFd", "?after=WyJ4Il0", "?limit=0", "?limit=101",
         "?status=gone", "?category=x", "?division=14", "?department=A!"],
    )  # fmt: skip
    async def test_malformed_questions(self, catalogue, query):
        answer = await catalogue.client.get(f"/v1/items{query}")
        assert answer.status_code in (400, 422)
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_staff_finds_what_waits_for_review(self, catalogue, people):
        new = await people.draft(name="新写的")
        await people.act(new, "submit")
        revised = await people.publish(name="老事项")
        await people.save(revised, name="老事项新版")
        await people.act(revised, "submit")
        await people.draft(name="还在写")
        headers = people.approver()
        assert await names(catalogue, "?status=in-review", headers) == ["新写的", "老事项"]
        assert await names(catalogue, "?status=draft", headers) == ["还在写"]
        elsewhere = people.approver(division=OTHER_COUNTY)
        assert await names(catalogue, "?status=in-review", elsewhere) == []
        answer = await catalogue.client.get("/v1/items?status=in-review", headers=headers)
        assert {item["draft_state"] for item in answer.json()["items"]} == {"in-review"}

    @pytest.mark.parametrize("status", ["draft", "in-review", "retired"])
    async def test_what_is_not_public_is_for_staff(self, catalogue, status):
        path = f"/v1/items?status={status}"
        assert (await catalogue.client.get(path)).status_code == 401
        for headers in (resident(), bearer("handler"), bearer("catalogue-editor", division=None)):
            answer = await catalogue.client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")

    async def test_a_page_is_one_query_whatever_its_length(self, catalogue, people):
        for number in range(4):
            await people.publish(name=f"事项{number}")
        statements: list[str] = []

        def remember(_connection, _cursor, statement, *_):
            statements.append(statement)

        engine = catalogue.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", remember)
        try:
            await names(catalogue)
        finally:
            event.remove(engine, "before_cursor_execute", remember)
        listing = [each for each in statements if "FROM item" in each and "LIMIT" in each]
        assert len(listing) == 1


class TestVersions:
    async def test_each_stays_as_it_was_published(self, catalogue, people):
        item_id = await people.publish(name="一版", summary="第一版的简介。")
        await people.save(item_id, name="二版")
        await people.approve(item_id)
        answer = await catalogue.client.get(f"/v1/items/{item_id}/versions/1")
        version = VersionRead.model_validate(answer.json())
        assert (version.name, version.content.summary) == ("一版", "第一版的简介。")

    async def test_who_wrote_and_approved_is_for_staff(self, catalogue, people):
        item_id = await people.publish()
        path = f"/v1/items/{item_id}/versions"
        for headers, author in (({}, None), (people.approver(), "编辑员")):
            listed = await catalogue.client.get(path, headers=headers)
            head = VersionHead.model_validate(listed.json()["items"][0])
            one = VersionRead.model_validate(
                (await catalogue.client.get(f"{path}/1", headers=headers)).json()
            )
            assert head.author_name == one.author_name == author

    async def test_unknown_ones(self, catalogue, people):
        item_id = await people.publish()
        answer = await catalogue.client.get(f"/v1/items/{item_id}/versions/2")
        assert (answer.status_code, answer.json()["code"]) == (404, "item-version-not-found")
        answer = await catalogue.client.get(f"/v1/items/{UNKNOWN}/versions")
        assert answer.json()["code"] == "item-not-found"
        for number in ("0", "2147483648", "x"):
            answer = await catalogue.client.get(f"/v1/items/{item_id}/versions/{number}")
            assert answer.status_code == 422

    async def test_an_item_that_was_never_published_has_none_for_the_public(
        self, catalogue, people
    ):
        item_id = await people.draft()
        path = f"/v1/items/{item_id}/versions"
        assert (await catalogue.client.get(path)).status_code == 404
        answer = await catalogue.client.get(path, headers=people.editor())
        assert answer.json() == {"items": [], "next": None}


class TestHistory:
    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({}, 401, "unauthenticated"),
            (resident(), 403, "wrong-role"),
            (bearer("handler"), 403, "wrong-role"),
            (bearer("auditor", division=OTHER_COUNTY), 403, "wrong-division"),
        ],
    )
    async def test_is_for_staff_of_the_division(self, catalogue, people, headers, status, code):
        item_id = await people.publish()
        answer = await catalogue.client.get(f"/v1/items/{item_id}/history", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_unknown_item(self, catalogue, people):
        answer = await catalogue.client.get(f"/v1/items/{UNKNOWN}/history", headers=people.editor())
        assert answer.status_code == 404
