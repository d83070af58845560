"""Synonyms, slips of the hand, bundles and themes in search, and what was not found."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import SearchMissed
from services.catalogue.definition import SERVICE
from services.catalogue.search.documents import EVERYWHERE
from services.catalogue.search.missed import Missed
from services.catalogue.search.queries import Query
from services.catalogue.search.segment import Segment
from services.catalogue.search.typos import Typo
from services.catalogue.synonyms.rules import SynonymBook
from services.catalogue.themes.schemas import Categories, ThemeRead
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE, make_document
from tests.catalogue.test_bundles import Bundles
from tests.catalogue.test_search_endpoints import names, refresh, search
from tests.support.service import running
from tests.support.tokens import bearer, resident

PROVINCE = "140000000000"


class TestBook:
    def test_words_inside_a_search_are_replaced_for_whom_they_hold(self):
        book = SynonymBook(
            [
                (COUNTY, "生娃", ["生育", "出生"]),
                (PROVINCE, "娃", ["儿童"]),
                (COUNTY, "生", ["生育"]),
            ]
        )
        assert book.meanings("生娃补贴", VILLAGE)[:2] == ["生育补贴", "出生补贴"]
        assert "生儿童补贴" in book.meanings("生娃补贴", OTHER_COUNTY)
        assert "生育补贴" not in book.meanings("生娃补贴", OTHER_COUNTY)
        assert book.meanings("补贴", None) == []
        assert SynonymBook().meanings("补贴", None) == []


class TestTypo:
    @settings(max_examples=60)
    @given(st.text(alphabet="残疾人生活补贴办理护", min_size=3, max_size=8), st.data())
    def test_one_slip_is_always_put_right(self, meant, data):
        at = data.draw(st.integers(0, len(meant) - 1))
        kind = data.draw(st.sampled_from(["wrong", "missing", "extra"]))
        typed = (
            meant[:at]
            + {"wrong": "口", "missing": "", "extra": "口" + meant[at]}[kind]
            + (meant[at + 1 :])
        )
        typo = Typo.of(Query.parse(typed))
        if kind == "missing" and (len(meant) == 3 or at in (0, len(meant) - 1)):
            return  # what is left is shorter than a slip needs, or stands in the name as it is
        if kind == "extra" and len(meant) == 3:
            assert typo is not None
        assert typo is not None
        assert typo.fits(f"办{meant}的事")

    def test_three_characters_with_the_middle_one_wrong_or_of_the_same_sound(self):
        documents = [make_document("残疾人生活补贴"), make_document("老年人优待证办理")]
        segment = Segment(documents, lambda _: 0.0)
        for typed in ("残及人", "残极人", "残人生", "优代证", "残疾疾人", "生活贴补"):
            [match] = segment.search(Query.parse(typed), EVERYWHERE, 5)
            assert match.is_similar, typed
        [match] = segment.search(Query.parse("canjirenshenhuo"), EVERYWHERE, 5)
        assert match.document.name == "残疾人生活补贴"
        for typed in ("残口口", "天气预报", "abcdefgh"):
            assert segment.search(Query.parse(typed), EVERYWHERE, 5) == []


async def put(catalogue, word: str, means: list[str], headers=None, division=COUNTY, **more):
    editor = bearer("catalogue-editor", division=COUNTY, name="编辑员")
    return await catalogue.client.put(
        f"/v1/synonyms/{division}/{word}",
        json={"means": means},
        headers=(editor if headers is None else headers) | more,
    )


class TestSynonyms:
    async def test_are_searched_by_in_every_replica_without_an_event(self, catalogue, people):
        await people.publish(name="生育登记", aliases=[])
        await refresh(catalogue)
        assert await names(catalogue, "添丁") == []
        tag = (await catalogue.client.get("/v1/search?q=添丁")).headers["etag"]
        assert (await put(catalogue, "添丁", ["生育登记"])).headers["etag"] == '"1"'
        async with running(SERVICE, catalogue.at) as other:
            for replica in (catalogue, other):
                deadline = time.monotonic() + 10
                while not (found := await search(replica, "添丁", division=VILLAGE)):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
                assert (found[0]["name"], found[0]["matched"]) == ("生育登记", "synonym")
                assert found[0]["highlight"]["ranges"] == [[0, 4]]
        assert await names(catalogue, "添丁", division=OTHER_COUNTY) == []
        answer = await catalogue.client.get("/v1/search?q=添丁", headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert await catalogue.events() != []
        kinds = {kind for kind, _ in await catalogue.events()}
        assert kinds == {"cn.yichuang.catalogue.item-published.v1"}

    async def test_editing_needs_the_version_the_role_and_the_division(self, catalogue):
        await put(catalogue, "生娃", ["生育登记"])
        far = bearer("catalogue-editor", division=OTHER_COUNTY)
        for headers, more, division, means, status in (
            (None, {}, COUNTY, ["x"], 409),
            (None, {"If-Match": '"7"'}, COUNTY, ["x"], 409),
            (None, {}, CITY, ["x"], 403),
            (far, {}, COUNTY, ["x"], 403),
            (resident(), {}, COUNTY, ["x"], 403),
            ({}, {}, COUNTY, ["x"], 401),
            (None, {}, COUNTY, [], 422),
            (None, {}, COUNTY, ["  "], 422),
        ):
            answer = await put(catalogue, "生娃", means, headers, division, **more)
            assert answer.status_code == status, answer.text
        assert (await put(catalogue, "生娃", ["出生"], **{"If-Match": '"1"'})).status_code == 200
        races = await asyncio.gather(*(put(catalogue, "坐月子", ["生育"]) for _ in range(3)))
        assert sorted(each.status_code for each in races) == [200, 409, 409]
        listed = await catalogue.client.get("/v1/synonyms", params={"limit": 1})
        assert listed.json()["next"] is not None
        rest = await catalogue.client.get("/v1/synonyms", params={"after": listed.json()["next"]})
        both = [each["word"] for page in (listed, rest) for each in page.json()["items"]]
        assert both == ["坐月子", "生娃"]
        gone = await catalogue.client.delete(
            f"/v1/synonyms/{COUNTY}/生娃",
            headers=bearer("catalogue-approver", division=COUNTY) | {"If-Match": '"2"'},
        )
        assert gone.status_code == 204
        assert await catalogue.count("synonym") == 1
        missing = await catalogue.client.delete(
            f"/v1/synonyms/{COUNTY}/生娃",
            headers=bearer("catalogue-editor", division=COUNTY) | {"If-Match": '"2"'},
        )
        assert missing.status_code == 404


class TestMissed:
    async def test_is_told_by_division_and_words_but_never_what_may_be_somebodys(
        self, catalogue, people
    ):
        await people.publish()
        await refresh(catalogue)
        missed: Missed = catalogue.app.state.missed_searches
        await missed.flush()  # what tests before this one searched for
        before = len(await catalogue.events())
        for typed in (
            "助 浴",
            "助浴",
            "残疾",
            "张三丰",
            "王明",
            "13800138000",
            "１４０８０２１９９",
        ):
            await search(catalogue, typed, division=VILLAGE)
        await search(catalogue, "助浴")  # nobody knows where
        assert await missed.flush() == 1
        assert await missed.flush() == 0
        [event] = [
            SearchMissed.model_validate(body) for _, body in (await catalogue.events())[before:]
        ]
        assert (event.division_code, event.query, event.searches) == (VILLAGE, "助浴", 2)

    async def test_the_rest_is_told_when_the_process_ends(self, catalogue):
        async with running(SERVICE, catalogue.at) as other:
            await search(other, "老年食堂", division=VILLAGE)
        kinds = [kind for kind, _ in await catalogue.events()]
        assert kinds == [SearchMissed.event_type]


def make_theme(**overrides: Any) -> dict[str, Any]:
    theme = {
        "name": "助残",
        "subject": "person",
        "aliases": ["残疾人"],
        "source": "运政办发〔2023〕14号",
    }
    return theme | overrides


class TestHeadings:
    async def put(self, catalogue, people, headers=None, **theme: Any):
        more = {"If-Match": theme.pop("tag")} if "tag" in theme else {}
        division = theme.pop("division", COUNTY)
        return await catalogue.client.put(
            f"/v1/themes/{division}/disabled-person",
            json=make_theme(**theme),
            headers=(people.editor() if headers is None else headers) | more,
        )

    async def test_bundles_and_themes_are_found_beside_the_items(self, catalogue, people):
        bundle_id, first, second = await Bundles(catalogue, people).publish()
        made = await self.put(catalogue, people, items=[second, first])
        assert made.status_code == 200, made.text
        theme = ThemeRead.model_validate(made.json())
        assert [str(each.item_id) for each in theme.items] == [second, first]
        assert [str(each) for each in theme.bundles] == [bundle_id]
        await refresh(catalogue)
        answer = await catalogue.client.get(
            "/v1/search", params={"q": "残疾人", "division": VILLAGE, "channel": "portal"}
        )
        found = answer.json()
        assert [each["bundle_id"] for each in found["bundles"]] == [bundle_id]
        assert [each["name"] for each in found["themes"]] == ["助残"]
        assert found["themes"][0]["highlight"]["text"] == "残疾人"
        far = await catalogue.client.get(
            "/v1/search", params={"q": "残疾人", "division": OTHER_COUNTY}
        )
        assert (far.json()["bundles"], far.json()["themes"]) == ([], [])
        listed = await catalogue.client.get("/v1/themes", params={"division": VILLAGE})
        assert [each["code"] for each in listed.json()["items"]] == ["disabled-person"]

    async def test_themes_are_edited_by_their_editors(self, catalogue, people):
        item_id = await people.publish()
        await self.put(catalogue, people, items=[item_id])
        unknown = "00000000-0000-7000-8000-000000000000"
        for headers, theme, status in (
            ({}, {}, 401),
            (resident(), {}, 403),
            (people.approver(), {}, 403),
            (people.editor(division=OTHER_COUNTY), {}, 403),
            (None, {"division": CITY}, 403),
            (None, {}, 409),
            (None, {"tag": '"1"', "items": [unknown]}, 422),
            (None, {"tag": '"1"', "subject": "x"}, 422),
        ):
            answer = await self.put(catalogue, people, headers, **theme)
            assert answer.status_code == status, answer.text
        rows = await catalogue.fetch("SELECT version, name FROM theme")
        assert [tuple(row) for row in rows] == [(1, "助残")]
        assert (await self.put(catalogue, people, tag='"1"', name="关爱")).json()["version"] == 2
        gone = await catalogue.client.delete(
            f"/v1/themes/{COUNTY}/disabled-person", headers=people.editor() | {"If-Match": '"2"'}
        )
        assert gone.status_code == 204
        assert await catalogue.count("theme_item") == 0

    async def test_two_editors_make_a_theme_once(self, catalogue, people):
        answers = await asyncio.gather(*(self.put(catalogue, people) for _ in range(3)))
        assert sorted(each.status_code for each in answers) == [200, 409, 409]

    async def test_categories_are_the_policies_with_what_is_offered_here(self, catalogue, people):
        await people.publish()
        people.division = CITY
        await people.publish(division_code=OTHER_COUNTY)
        answer = await catalogue.client.get("/v1/categories", params={"division": VILLAGE})
        read = Categories.model_validate(answer.json())
        assert [len(each) for each in (read.supply_categories, read.item_kinds, read.functions)] == [
            10, 3, 3,
        ]  # fmt: skip
        assert {each.code: each.items for each in read.supply_categories if each.items} == {
            "social-services": 1
        }
        assert sum(each.items for each in read.functions) == 1


@pytest.mark.parametrize(("service_object", "found"), [("natural-person", 1), ("enterprise", 0)])
async def test_items_are_filtered_by_whom_they_serve(catalogue, people, service_object, found):
    await people.publish()
    await refresh(catalogue)
    assert len(await names(catalogue, "残疾", service_object=service_object)) == found
