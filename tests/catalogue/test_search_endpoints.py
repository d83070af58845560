"""Search as residents use it, and how the index follows the catalogue."""

import asyncio
import time

import pytest

from contracts.values import RatingLevel
from services.catalogue.metrics import SEARCHES
from services.catalogue.search import index as search_index
from services.catalogue.search.schemas import SearchResult, Suggestions
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE, make_score

DEADLINE_SECONDS = 10.0


async def refresh(catalogue) -> None:
    await catalogue.app.state.search_index.refresh()


async def search(catalogue, q: str, **params):
    answer = await catalogue.client.get("/v1/search", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    SearchResult.model_validate(answer.json())
    return answer.json()["items"]


async def names(catalogue, q: str, **params) -> list[str]:
    return [item["name"] for item in await search(catalogue, q, **params)]


class TestSearch:
    async def test_two_characters_find_an_item_with_what_a_resident_asks_first(
        self, catalogue, people
    ):
        item_id = await people.publish()
        await refresh(catalogue)
        [hit] = await search(catalogue, "残补")
        assert hit["item_id"] == item_id
        assert hit["matched"] == "alias"
        assert hit["highlight"] == {"field": "alias", "text": "残补", "ranges": [[0, 2]]}
        assert (hit["status"], hit["status_text"]) == ("published", "可以办理")
        assert hit["limits"]["promised_days"] == 10
        assert hit["score"] == {"rated": 0, "satisfaction_ratio": None, "average_stars": None}

    async def test_pinyin_initials_summary_and_likeness(self, catalogue, people):
        await people.publish()
        await refresh(catalogue)
        for typed, matched in (
            ("残疾人", "name"),
            ("canjiren", "pinyin"),
            ("kncjr", "pinyin"),
            ("每月一笔", "summary"),
            ("残废生活补贴", "similar"),
        ):
            [hit] = await search(catalogue, typed)
            assert hit["matched"] == matched

    async def test_a_draft_is_not_found_a_paused_item_is_marked_a_retired_one_gone(
        self, catalogue, people
    ):
        await people.draft(name="没公布的补贴")
        paused = await people.publish(name="暂停的补贴")
        retired = await people.publish(name="取消的补贴")
        await refresh(catalogue)
        assert sorted(await names(catalogue, "补贴")) == ["取消的补贴", "暂停的补贴"]
        await people.act(paused, "pause", reason="停电")
        await people.act(retired, "retire", reason="合并")
        await refresh(catalogue)
        [hit] = await search(catalogue, "补贴")
        assert (hit["name"], hit["status"]) == ("暂停的补贴", "paused")
        assert hit["status_text"] == "暂停办理：停电"

    async def test_a_new_version_is_found_by_its_new_words(self, catalogue, people):
        item_id = await people.publish(name="旧名字津贴")
        await refresh(catalogue)
        await people.save(item_id, name="新名字津贴")
        await people.approve(item_id)
        await refresh(catalogue)
        assert await names(catalogue, "津贴") == ["新名字津贴"]
        assert await names(catalogue, "旧名字津") == ["新名字津贴"]  # similar

    async def test_filters(self, catalogue, people):
        people.division = CITY
        await people.publish(name="县补贴", audiences=["elderly"])
        await people.publish(name="邻县补贴", division_code=OTHER_COUNTY)
        await people.publish(
            name="市补贴",
            division_code=CITY,
            channels=["telephone", "agent"],
            around_the_clock=False,
        )
        await refresh(catalogue)
        assert sorted(await names(catalogue, "补贴", division=VILLAGE)) == ["县补贴", "市补贴"]
        assert await names(catalogue, "补贴", division=CITY) == ["市补贴"]
        assert await names(catalogue, "补贴", channel="telephone") == ["市补贴"]
        assert await names(catalogue, "补贴", audience="elderly") == ["县补贴"]
        night = await names(catalogue, "补贴", around_the_clock="true", division=COUNTY)
        assert night == ["县补贴"]
        assert len(await names(catalogue, "补贴", limit=2)) == 2

    async def test_what_came_of_searches_is_counted(self, catalogue, people):
        def counted(outcome: str) -> float:
            return SEARCHES.labels(outcome)._value.get()

        await people.publish()
        await refresh(catalogue)
        for typed, outcome in (
            ("残疾", "found"),
            ("残废生活补贴", "similar"),
            ("潜水艇", "nothing"),
        ):
            before = counted(outcome)
            await search(catalogue, typed)
            assert counted(outcome) == before + 1

    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"q": ""},
            {"q": "补" * 51},
            {"q": "补", "limit": 0},
            {"q": "补", "limit": 51},
            {"q": "补", "division": "14"},
            {"q": "补", "channel": "pigeon"},
            {"q": "补", "audience": "x"},
        ],
    )
    async def test_malformed_questions(self, catalogue, params):
        for path in ("/v1/search", "/v1/search/suggestions"):
            if path.endswith("suggestions") and {"channel", "audience"} & params.keys():
                continue
            answer = await catalogue.client.get(path, params=params)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")

    @pytest.mark.parametrize("typed", [" ", "\t\n", "\x00"])
    async def test_nothing_typed(self, catalogue, typed):
        answer = await catalogue.client.get("/v1/search", params={"q": typed})
        assert (answer.status_code, answer.json()["code"]) == (422, "query-empty")

    async def test_before_the_database_has_answered_it_asks_to_come_back(self, catalogue):
        held = catalogue.app.state.search_index
        catalogue.app.state.search_index = search_index.SearchIndex(catalogue.database)
        try:
            answer = await catalogue.client.get("/v1/search", params={"q": "补"})
        finally:
            catalogue.app.state.search_index = held
        assert (answer.status_code, answer.json()["code"]) == (503, "search-not-ready")


class TestUnchanged:
    async def test_until_the_catalogue_or_a_score_changes(self, catalogue, people):
        item_id = await people.publish()
        await refresh(catalogue)
        tag = (await catalogue.client.get("/v1/search?q=补")).headers["etag"]

        async def status() -> int:
            await refresh(catalogue)
            answer = await catalogue.client.get(
                "/v1/search", params={"q": "补"}, headers={"If-None-Match": tag}
            )
            return answer.status_code

        assert await status() == 304
        await people.score(make_score(item_id))
        assert await status() == 200
        tag = (await catalogue.client.get("/v1/search?q=补")).headers["etag"]
        await people.publish(name="另一个")
        assert await status() == 200


class TestScores:
    async def test_are_shown_and_order_equals_when_the_index_is_built(
        self, catalogue, people, monkeypatch
    ):
        better = await people.publish(name="补贴甲")
        await people.publish(name="补贴乙")
        await refresh(catalogue)
        # By name among unrated ones; 乙 comes before 甲 in the order of characters.
        assert await names(catalogue, "补贴") == ["补贴乙", "补贴甲"]
        counts = {RatingLevel.very_satisfied: 40}
        await people.score(
            make_score(better, rated=40, average_stars=5.0, satisfaction_ratio=1.0, counts=counts)
        )
        monkeypatch.setattr(search_index, "RERANK_SECONDS", 0.0)
        await refresh(catalogue)
        found = await search(catalogue, "补贴")
        assert [hit["name"] for hit in found] == ["补贴甲", "补贴乙"]
        assert found[0]["score"]["rated"] == 40


class TestSuggestions:
    async def test_names_for_what_is_typed_so_far(self, catalogue, people):
        await people.publish(name="高龄津贴", aliases=["老年补贴"])
        await people.publish(name="失能老人护理补贴")
        await refresh(catalogue)
        answer = await catalogue.client.get("/v1/search/suggestions?q=补贴")
        suggestions = Suggestions.model_validate(answer.json()).items
        assert [each.text for each in suggestions] == ["失能老人护理补贴", "高龄津贴"]
        assert suggestions[1].highlight is not None
        assert suggestions[1].highlight.text == "老年补贴"
        answer = await catalogue.client.get("/v1/search/suggestions?q=gao")
        assert [each["text"] for each in answer.json()["items"]] == ["高龄津贴"]

    async def test_the_same_name_is_suggested_once(self, catalogue, people):
        people.division = CITY
        await people.publish(name="高龄津贴")
        await people.publish(name="高龄津贴", division_code=OTHER_COUNTY)
        await refresh(catalogue)
        answer = await catalogue.client.get("/v1/search/suggestions?q=高龄")
        assert len(answer.json()["items"]) == 1

    async def test_words_of_a_summary_suggest_nothing(self, catalogue, people):
        await people.publish()
        await refresh(catalogue)
        answer = await catalogue.client.get("/v1/search/suggestions?q=每月一笔")
        assert answer.json() == {"items": []}


class TestFollowing:
    async def test_the_index_follows_by_itself(self, catalogue, people):
        await people.publish(name="自己出现的事项")
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not await names(catalogue, "自己出现"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def test_what_vanished_from_the_database_is_noticed(self, catalogue, people):
        """Such as after a restore: the index does not rely on revisions alone."""
        await people.publish(name="一补贴")
        vanished = await people.publish(name="二补贴")
        await refresh(catalogue)
        await catalogue.fetch("UPDATE item SET status = 'retired' WHERE id = $1", vanished)
        await people.publish(name="三补贴")
        await refresh(catalogue)
        assert sorted(await names(catalogue, "补贴")) == ["一补贴", "三补贴"]
