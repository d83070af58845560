from datetime import datetime

import pytest

from services.facilities.hours import service
from services.facilities.hours.rules import LOCAL
from tests.facilities.factories import (
    CITY,
    COUNTY,
    OTHER_COUNTY,
    TOWNSHIP,
    VILLAGE,
    manager,
    recorded,
    versioned,
)

MONDAY = "2026-12-21T"


@pytest.fixture
def clock(monkeypatch):
    """Set the time of the process."""
    time = {"now": datetime.fromisoformat(f"{MONDAY}09:00").replace(tzinfo=LOCAL)}
    monkeypatch.setattr(service, "local_moment", lambda at: time["now"])

    def move_to(text: str) -> None:
        time["now"] = datetime.fromisoformat(text).replace(tzinfo=LOCAL)

    return move_to


async def board(facilities, within=COUNTY):
    answer = await facilities.client.get(f"/v1/facilities/open-now?within={within}")
    assert answer.status_code == 200, answer.text
    return answer


async def names(facilities, within=COUNTY):
    return [place["name"] for place in (await board(facilities, within)).json()["items"]]


class TestOpenNow:
    async def test_right_to_the_minute_and_computed_once_in_between(self, facilities, clock):
        await recorded(facilities, name="甲中心")
        await recorded(facilities, name="乙中心", weekly_hours=None)
        await recorded(facilities, name="丙中心", state="repair")
        kept = facilities.app.state.open_board
        before = kept.computed
        body = (await board(facilities)).json()
        assert [place["name"] for place in body["items"]] == ["甲中心"]
        assert (body["until"], body["closed"], body["unknown"]) == (
            f"{MONDAY}12:00:00+08:00", 0, 1,
        )  # fmt: skip
        clock(f"{MONDAY}11:59:59")
        assert await names(facilities) == ["甲中心"]
        assert kept.computed == before + 1
        clock(f"{MONDAY}12:00")
        assert await names(facilities) == []
        clock(f"{MONDAY}14:00")
        assert await names(facilities) == ["甲中心"]
        assert kept.computed == before + 3

    async def test_a_change_is_seen_at_once(self, facilities, clock):
        body = await recorded(facilities)
        assert len(await names(facilities)) == 1
        closed = await facilities.client.put(
            f"/v1/facilities/{body['id']}/hours-exceptions/2026-12-21",
            json={"intervals": [], "reason": "停电"},
            headers=versioned(manager()),
        )
        assert closed.status_code == 200
        assert await names(facilities) == []

    async def test_narrowed_to_what_lies_within(self, facilities, clock):
        await recorded(facilities, name="甲中心")
        await recorded(facilities, name="丙中心", division_code=VILLAGE)
        assert await names(facilities) == ["甲中心", "丙中心"]
        assert await names(facilities, TOWNSHIP) == ["甲中心"]
        assert await names(facilities, OTHER_COUNTY) == []

    async def test_caches_may_keep_it_until_it_changes(self, facilities, clock):
        await recorded(facilities)
        clock(f"{MONDAY}11:59:30")
        answer = await board(facilities)
        assert answer.headers["cache-control"] == "public, max-age=30"
        tag = {"If-None-Match": answer.headers["etag"]}
        again = await facilities.client.get(f"/v1/facilities/open-now?within={COUNTY}", headers=tag)
        assert again.status_code == 304
        clock(f"{MONDAY}09:00")
        assert (await board(facilities)).headers["cache-control"] == "public, max-age=60"

    async def test_not_for_a_whole_city(self, facilities):
        answer = await facilities.client.get(f"/v1/facilities/open-now?within={CITY}")
        assert (answer.status_code, answer.json()["code"]) == (422, "division-too-wide")


class TestGeojson:
    async def test_longitude_comes_first_and_pages_join(self, facilities):
        for number in range(3):
            await recorded(facilities, name=f"中心{number}")
        await recorded(facilities, name="没有坐标的中心", position=None)
        url = f"/v1/facilities/geojson?within={COUNTY}"
        answer = await facilities.client.get(f"{url}&limit=2")
        assert answer.headers["content-type"] == "application/geo+json"
        first = answer.json()
        assert first["type"] == "FeatureCollection"
        [one, two] = first["features"]
        assert one["geometry"] == {"type": "Point", "coordinates": [111.0035, 35.0228]}
        assert one["properties"]["type_name"] == "党群服务中心"
        rest = (await facilities.client.get(f"{url}&after={first['next']}")).json()
        found = [one["id"], two["id"], *(feature["id"] for feature in rest["features"])]
        assert len(set(found)) == 3
        assert rest["next"] is None

    async def test_filters_are_those_of_the_list(self, facilities):
        await recorded(facilities, state="repair")
        query = "/v1/facilities/geojson?state=open&accessible=ramp"
        assert (await facilities.client.get(query)).json()["features"] == []
        assert (await facilities.client.get(f"{query}&limit=1001")).status_code == 422
