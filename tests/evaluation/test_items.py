"""The copy of the catalogue's items, and the list of how they are rated."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import (
    ITEM_STATES,
    ItemPaused,
    ItemPublished,
    ItemRetired,
    ItemRevised,
    ItemState,
)
from contracts.samples import samples_of
from tests.evaluation.factories import COUNTY, VILLAGE, all_pages, deliver, finish_case
from tests.support.tokens import bearer, resident

SAMPLE = samples_of(ItemPublished)["with-a-fee"]
PATH = "/v1/item-scores"


def told(event: type[ItemState] = ItemPublished, **values: Any) -> Any:
    defaults = {"item_id": uuid4(), "version": 1, "revision": 1, "division_code": COUNTY}
    why = {"reason": "并入两项补贴"} if event in (ItemPaused, ItemRetired) else {}
    return event.model_validate(SAMPLE | defaults | why | values)


async def listed(service, **params) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in params.items())
    return await all_pages(service, f"{PATH}?{query}")


async def names(service, **params) -> list[str]:
    return [item["name"] for item in await listed(service, **params)]


async def rated(service, item_id: UUID, *levels: str) -> None:
    for level in levels:
        case = await finish_case(service, item_id=item_id, item_name="办件时的旧名称")
        assert (await case.rate(level, tags=["213"] if "dis" in level else [])).status_code == 201


class TestCopy:
    async def test_delivered_twice_and_out_of_order_the_newest_state_stays(self, evaluation):
        item_id, at = uuid4(), datetime.now(UTC)
        states = [
            told(event, item_id=item_id, version=number, revision=number, name=f"{number}版")
            for number, event in enumerate(ITEM_STATES, start=1)
        ]
        # Revisions decide, whatever the clocks said.
        states[0] = states[0].model_copy(update={"recorded_at": at + timedelta(hours=1)})
        for event in (states[2], states[0], states[2], states[1]):
            await deliver(evaluation, event)
        [item] = await listed(evaluation)
        assert (item["name"], item["status"], item["version"]) == ("3版", "paused", 3)
        await deliver(evaluation, states[3])
        [item] = await listed(evaluation, status="retired")
        assert (item["item_id"], item["status"], item["name"]) == (str(item_id), "retired", "4版")

    async def test_logs_that_tell_every_version_as_published_are_taken(self, evaluation):
        first = told(name="一版")
        later = told(item_id=first.item_id, version=2, revision=2, name="二版")
        for event in (later, first):
            await deliver(evaluation, event)
        assert await names(evaluation) == ["二版"]


class TestList:
    async def test_best_first_by_the_names_of_now_and_unrated_last(self, evaluation):
        good, bad, unrated = [told(name=name) for name in ("好事项", "差事项", "新事项")]
        for event in (unrated, bad, good):
            await deliver(evaluation, event)
        await rated(evaluation, good.item_id, "satisfied", "very-satisfied")
        await rated(evaluation, bad.item_id, "satisfied", "dissatisfied")
        await rated(evaluation, uuid4(), "satisfied")  # of an item the copy does not know
        items = await listed(evaluation)
        assert [item["name"] for item in items] == ["好事项", "差事项", "新事项"]
        assert [item["rated"] for item in items] == [2, 2, 0]
        assert [item["satisfaction_ratio"] for item in items] == [1.0, 0.5, None]
        assert [item["bad_first"] for item in items] == [0, 1, 0]
        assert items[0]["counts"]["very-satisfied"] == 1
        assert items[0]["average_stars"] == 4.5
        assert set(items[2]["counts"].values()) == {0}
        assert items[2]["satisfaction_floor"] is None

    async def test_a_revised_item_keeps_its_score_under_its_new_name(self, evaluation):
        first = told(name="旧名称")
        await deliver(evaluation, first)
        await rated(evaluation, first.item_id, "satisfied")
        again = told(ItemRevised, item_id=first.item_id, version=2, revision=2, name="新名称")
        await deliver(evaluation, again)
        [item] = await listed(evaluation)
        assert (item["name"], item["version"], item["rated"]) == ("新名称", 2, 1)
        [ranked] = await all_pages(evaluation, "/v1/scores?kind=item")
        score = await evaluation.client.get(f"/v1/scores/item/{first.item_id}")
        assert ranked["subject_name"] == score.json()["subject_name"] == "新名称"

    async def test_what_ended_is_left_out_unless_asked_for(self, evaluation):
        for event, name in ((ItemPublished, "可办"), (ItemPaused, "暂停"), (ItemRetired, "取消")):
            await deliver(evaluation, told(event, name=name))
        assert sorted(await names(evaluation)) == ["可办", "暂停"]
        for status, name in (("published", "可办"), ("paused", "暂停"), ("retired", "取消")):
            assert await names(evaluation, status=status) == [name]

    async def test_each_filter_restricts(self, evaluation):
        other: dict[str, Any] = {
            "division_code": "140821000000",
            "supply_category": "health",
            "department": "health",
            "item_kind": "village-public",
        }
        await deliver(evaluation, told(name="此"))
        await deliver(evaluation, told(name="彼", **other))
        asked = zip(("division", "category", "department", "kind"), other.items(), strict=True)
        for parameter, (field, value) in asked:
            assert await names(evaluation, **{parameter: value}) == ["彼"]
            [item] = await listed(evaluation, **{parameter: value})
            assert item[field] == value
        await deliver(evaluation, told(name="全市", division_code="140800000000"))
        assert len(await names(evaluation, division="140800000000")) == 3
        assert set(await names(evaluation, division=VILLAGE)) == {"全市", "此"}
        assert await names(evaluation, division=COUNTY, category="health") == []

    async def test_pages_tell_every_item_once_though_many_are_unrated(self, evaluation):
        events = [told(name=f"事项{number}") for number in range(5)]
        for event in events:
            await deliver(evaluation, event)
        await rated(evaluation, events[3].item_id, "satisfied")
        paged = await names(evaluation)
        assert (paged[0], len(paged)) == ("事项3", 5)
        whole = await evaluation.client.get(PATH)
        assert [item["name"] for item in whole.json()["items"]] == paged

    @pytest.mark.parametrize("headers", [{}, resident(), bearer("auditor")])
    async def test_everybody_may_read_it(self, evaluation, headers):
        answer = await evaluation.client.get(PATH, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})

    @pytest.mark.parametrize(
        "query",
        [
            "division=14",
            "status=draft",
            "category=%E5%81%A5",
            "kind=X",
            "department=A B",
            "limit=0",
        ],
    )
    async def test_what_is_none_is_refused(self, evaluation, query):
        answer = await evaluation.client.get(f"{PATH}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")

    @pytest.mark.parametrize("cursor", ["x", "WzFd", "WzEsMl0", "WzEuMCwieCJd", "W251bGwsbnVsbF0"])
    async def test_a_cursor_that_is_none_of_ours(self, evaluation, cursor):
        answer = await evaluation.client.get(f"{PATH}?after={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")
