"""What is near: the circle is exact, open places come first, and the assumption is told."""

from math import cos, radians
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from services.facilities.nearby.repository import NearbyFilter, around
from services.facilities.nearby.rules import Mode, Reach, box_around, rank, reach_in
from services.facilities.positions.rules import Point, distance_metres
from tests.facilities.factories import VILLAGE, recorded, workdays

HERE = Point(35.0228, 111.0035)
#: Monday morning in local time, Sunday, and an evening.
MONDAY, SUNDAY = "2026-11-23T09:00:00", "2026-11-22T09:00:00"
URL = "/v1/facilities/nearby"
METRES_PER_DEGREE = 111_195


def at_metres(north: float = 0, east: float = 0) -> dict[str, Any]:
    latitude = HERE.latitude + north / METRES_PER_DEGREE
    longitude = HERE.longitude + east / METRES_PER_DEGREE / cos(radians(HERE.latitude))
    return {"latitude": round(latitude, 6), "longitude": round(longitude, 6)}


async def ask(service, **parameters):
    values = {"latitude": HERE.latitude, "longitude": HERE.longitude, "at": MONDAY}
    answer = await service.client.get(URL, params=values | parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(body):
    return [item["name"] for item in body["items"]]


class TestRules:
    def test_fifteen_minutes_on_foot_are_a_kilometre(self):
        assert reach_in(15, 4.0) == Reach(1000, 4.0)
        assert reach_in(15, 4.0).minutes(500) == pytest.approx(7.5)
        assert Reach(800).minutes(500) is None

    @given(
        st.floats(4, 53), st.floats(74, 135), st.floats(10, 20_000),
        st.floats(-1.2, 1.2), st.floats(-1.2, 1.2),
    )  # fmt: skip
    def test_the_box_holds_every_point_of_the_circle(self, latitude, longitude, metres, up, right):
        centre = Point(latitude, longitude)
        box = box_around(centre, metres)
        other = Point(
            latitude + up * (box.north - latitude), longitude + right * (box.east - longitude)
        )
        if distance_metres(centre, other) <= metres:
            assert box.south <= other.latitude <= box.north
            assert box.west <= other.longitude <= box.east

    def test_open_then_unknown_then_closed_then_near(self):
        places = [(False, 1.0), (True, 900.0), (None, 5.0), (True, 20.0)]
        ordered = sorted(places, key=lambda place: rank(*place))
        assert ordered == [(True, 20.0), (True, 900.0), (None, 5.0), (False, 1.0)]


class TestNearby:
    async def test_the_circle_is_exact_and_its_corner_is_outside(self, facilities):
        await recorded(facilities, name="近处", **at_metres(north=990))
        await recorded(facilities, name="远处", **at_metres(north=1010))
        await recorded(facilities, name="角上", **at_metres(north=900, east=900))
        body = await ask(facilities)
        assert names(body) == ["近处"]
        assert (body["reach_metres"], body["mode"], body["speed_kmh"]) == (1000, "walking", 4)
        assert body["items"][0]["distance_metres"] == pytest.approx(990, abs=2)
        assert body["items"][0]["minutes"] == pytest.approx(14.9, abs=0.1)
        assert "直线" in body["assumption"]

    async def test_a_bicycle_and_other_parameters_reach_further(self, facilities):
        await recorded(facilities, name="三千米", **at_metres(north=2900))
        assert names(await ask(facilities)) == []
        assert names(await ask(facilities, mode=Mode.cycling)) == ["三千米"]
        assert names(await ask(facilities, minutes=50)) == ["三千米"]
        assert names(await ask(facilities, speed_kmh=12)) == ["三千米"]
        body = await ask(facilities, radius_metres=3000)
        assert (names(body), body["mode"], body["items"][0]["minutes"]) == (["三千米"], None, None)

    async def test_what_is_open_comes_before_what_is_nearer(self, facilities):
        everyday = dict.fromkeys([*workdays(), "saturday", "sunday"], workdays()["monday"])
        await recorded(facilities, name="周末休息", **at_metres(north=100))
        await recorded(facilities, name="不清楚", weekly_hours=None, **at_metres(north=200))
        await recorded(facilities, name="天天开放", weekly_hours=everyday, **at_metres(north=300))
        sunday = await ask(facilities, at=SUNDAY)
        assert names(sunday) == ["天天开放", "不清楚", "周末休息"]
        assert sunday["items"][0]["next_change_at"] == "2026-11-22T12:00:00+08:00"
        assert names(await ask(facilities)) == ["周末休息", "天天开放", "不清楚"]
        assert names(await ask(facilities, limit=1, at=SUNDAY)) == ["天天开放"]

    async def test_by_type_accessibility_and_item(self, facilities):
        place = await recorded(facilities, name="服务中心", **at_metres(north=100))
        await recorded(facilities, name="卫生室", facility_type="village-clinic",
                       accessibility={"ramp": False}, **at_metres(north=50))  # fmt: skip
        item, counter = uuid4(), uuid4()
        await facilities.fetch(
            "INSERT INTO counter (id, facility_id, version, name, is_open, recorded_at) "
            "VALUES ($1, $2, 1, '综合窗口', true, now())", counter, place["id"],
        )  # fmt: skip
        await facilities.fetch(
            "INSERT INTO counter_item VALUES ($1, $2, $3)", counter, item, place["id"]
        )
        assert names(await ask(facilities, facility_type="village-clinic")) == ["卫生室"]
        assert names(await ask(facilities, accessibility="ramp")) == ["服务中心"]
        assert names(await ask(facilities, item_id=str(item))) == ["服务中心"]
        assert names(await ask(facilities, item_id=str(uuid4()))) == []
        await facilities.fetch("UPDATE counter SET is_open = false")
        assert names(await ask(facilities, item_id=str(item))) == []

    async def test_closed_places_and_those_without_a_position_are_not_near(self, facilities):
        await recorded(facilities, name="维修", state="repair")
        await recorded(facilities, name="不知在哪", division_code=VILLAGE, position=None)
        assert names(await ask(facilities, radius_metres=20_000)) == []

    async def test_a_position_of_a_map_application_is_converted(self, facilities):
        await recorded(facilities, **at_metres())
        shifted = await ask(facilities, radius_metres=100, crs="GCJ-02")
        assert shifted["items"] == []
        assert shifted["longitude"] != HERE.longitude

    @pytest.mark.parametrize(
        "bad",
        [
            {"latitude": "north"}, {"latitude": 95}, {"radius_metres": 20_001},
            {"radius_metres": 500, "minutes": 5}, {"mode": "flying"}, {"accessibility": "pool"},
            {"minutes": 60, "speed_kmh": 30}, {"unknown": 1},
        ],
    )  # fmt: skip
    async def test_bad_questions_are_refused(self, facilities, bad):
        values = {"latitude": HERE.latitude, "longitude": HERE.longitude}
        answer = await facilities.client.get(URL, params=values | bad)
        assert answer.status_code == 422

    async def test_the_statement_is_answered_by_the_index_of_points(self, facilities):
        statement = around(HERE, 1000, NearbyFilter()).limit(10)
        await facilities.fetch(
            "INSERT INTO facility (id, version, name, facility_type, state, division_code, address, "
            "latitude, longitude, original_crs, accessibility, recorded_at) "
            "SELECT gen_random_uuid(), 1, 'place ' || n, 'village-clinic', 'open', $1, 'there', "
            "22 + n % 100 * 0.2, 98 + n / 100 * 0.5, 'WGS-84', '{}', now() "
            "FROM generate_series(1, 4000) AS n",
            VILLAGE,
        )
        await facilities.fetch("ANALYZE facility")
        async with facilities.database.reading() as session:
            compiled = statement.compile(
                dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
            )
            plan = "\n".join(await session.scalars(text(f"EXPLAIN {compiled}")))
        assert "ix_facility_place" in plan
