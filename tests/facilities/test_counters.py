import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from contracts.catalogue import ItemPaused, ItemRetired
from services.facilities.items.consumers import keep_item
from tests.facilities.factories import (
    OTHER_COUNTY,
    deliver,
    item_event,
    manager,
    recorded,
    versioned,
)
from tests.support.tokens import bearer, resident


def counter(*items, **overrides):
    return {"name": "1 号综合窗口", "items": [str(item) for item in items]} | overrides


async def post(facilities, body, counter, *, headers=None, version=1):
    return await facilities.client.post(
        f"/v1/facilities/{body['id']}/counters",
        json=counter,
        headers=versioned(headers or manager(), version),
    )


class TestItemCopy:
    async def test_delivered_twice_and_out_of_order_the_newest_state_stays(self, facilities):
        first = item_event()
        later = {"version": 2, "revision": 5, "name": "临时救助（新）"}
        second = first.model_copy(update=later)
        for event in (second, first, second, first):
            await deliver(facilities, keep_item, event)
        [row] = await facilities.fetch("SELECT name, status, revision FROM catalogue_item")
        assert tuple(row) == ("临时救助（新）", "published", 5)

    async def test_without_revisions_the_clock_decides(self, facilities):
        now = datetime.now(UTC)
        first = item_event(revision=0, recorded_at=now)
        paused = ItemPaused(
            **(first.model_dump() | {"recorded_at": now + timedelta(seconds=1)}), reason="检修"
        )
        for event in (paused, first):
            await deliver(facilities, keep_item, event)
        [row] = await facilities.fetch("SELECT status FROM catalogue_item")
        assert row["status"] == "paused"


class TestCounters:
    async def test_what_a_counter_takes_follows_the_catalogue(self, facilities):
        event = item_event()
        await deliver(facilities, keep_item, event)
        body = await recorded(facilities)
        url = f"/v1/facilities/{body['id']}/counters"
        answer = await post(facilities, body, counter(event.item_id))
        assert (answer.status_code, answer.headers["etag"]) == (201, '"2"')
        assert answer.json()["items"][0]["name"] == "临时救助"
        retired = ItemRetired(**(event.model_dump() | {"revision": 2}), reason="合并")
        await deliver(facilities, keep_item, retired)
        [shown] = (await facilities.client.get(url)).json()["items"]
        assert shown["items"][0]["status"] == "retired"
        again = await post(facilities, body, counter(event.item_id, name="2 号"), version=2)
        assert [error["type"] for error in again.json()["errors"]] == ["item-unknown"]
        emptied = await facilities.client.put(
            f"{url}/{shown['id']}", json=counter(), headers=versioned(manager(), 2)
        )
        assert (emptied.json()["items"], emptied.headers["etag"]) == ([], '"3"')
        gone = await facilities.client.delete(
            f"{url}/{shown['id']}", headers=versioned(manager(), 3)
        )
        assert gone.status_code == 204
        assert (await facilities.client.get(url)).json()["items"] == []
        assert await facilities.count("facility_history") == 4

    async def test_facilities_that_take_an_item(self, facilities):
        event = item_event()
        await deliver(facilities, keep_item, event)
        body = await recorded(facilities)
        await recorded(facilities, name="没有窗口的中心")
        await post(facilities, body, counter(event.item_id))
        query = {"item": str(event.item_id), "accessible": "ramp"}
        found = (await facilities.client.get("/v1/facilities", params=query)).json()["items"]
        assert [entry["id"] for entry in found] == [body["id"]]
        query["accessible"] = "lift"
        assert (await facilities.client.get("/v1/facilities", params=query)).json()["items"] == []

    async def test_what_is_refused_is_named_and_nothing_is_written(self, facilities):
        elsewhere = item_event(division_code=OTHER_COUNTY)
        await deliver(facilities, keep_item, elsewhere)
        body = await recorded(facilities)
        answer = await post(facilities, body, counter(uuid4(), elsewhere.item_id))
        assert [(error["path"], error["type"]) for error in answer.json()["errors"]] == [
            ("/items/0", "item-unknown"), ("/items/1", "item-elsewhere"),
        ]  # fmt: skip
        twice = await post(facilities, body, counter(elsewhere.item_id, elsewhere.item_id))
        assert twice.status_code == 422
        for headers, code in [
            (resident(), "wrong-role"),
            (bearer("auditor"), "wrong-role"),
            (manager(OTHER_COUNTY), "wrong-division"),
        ]:
            assert (await post(facilities, body, counter(), headers=headers)).json()["code"] == code
        assert await facilities.count("counter") == 0
        assert len(await facilities.events()) == 1

    async def test_a_repeat_adds_once_and_of_two_at_once_one_loses(self, facilities):
        body = await recorded(facilities)
        keyed = manager() | {"Idempotency-Key": "counter-1"}
        first = await post(facilities, body, counter(), headers=keyed)
        assert (await post(facilities, body, counter(), headers=keyed)).json() == first.json()
        twin = await post(facilities, body, counter(), version=2)
        assert twin.json()["code"] == "counter-name-taken"
        answers = await asyncio.gather(
            *(post(facilities, body, counter(name=f"{n} 号"), version=2) for n in range(3))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
