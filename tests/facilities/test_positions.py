import coordTransform
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.facilities.positions.rules import (
    Box,
    Point,
    distance_metres,
    metres_outside,
    to_wgs84,
)
from tests.facilities.factories import (
    CITY,
    COUNTY,
    OTHER_COMMUNITY,
    OTHER_COUNTY,
    TOWNSHIP,
    facility,
    manager,
    recorded,
    statistician,
)
from tests.support.tokens import bearer, resident

URL = f"/v1/divisions/{COUNTY}/extent"
EXTENT = {"south": 34.8, "west": 110.7, "north": 35.2, "east": 111.2, "source": "县界图，测试"}
points = st.builds(Point, st.floats(20, 50), st.floats(80, 130))


class TestConversion:
    @settings(max_examples=60, deadline=None)
    @given(point=points, crs=st.sampled_from(["GCJ-02", "BD-09"]))
    def test_what_was_shifted_comes_back_to_a_decimetre(self, point, crs):
        shift = {
            "GCJ-02": coordTransform.wgs84_to_gcj02, "BD-09": coordTransform.wgs84_to_bd09
        }[crs]  # fmt: skip
        longitude, latitude = shift(point.longitude, point.latitude)
        back = to_wgs84(latitude, longitude, crs)
        assert distance_metres(point, back) < 0.2
        assert distance_metres(point, Point(latitude, longitude)) > 50

    def test_cgcs2000_is_taken_for_wgs84(self):
        assert to_wgs84(35.0228, 111.0035, "CGCS2000") == Point(35.0228, 111.0035)


class TestDistance:
    def test_a_degree_of_latitude(self):
        assert distance_metres(Point(35, 111), Point(36, 111)) == pytest.approx(111_195, rel=1e-4)

    @given(points, points)
    def test_there_and_back_is_as_far(self, one, other):
        assert distance_metres(one, other) == pytest.approx(distance_metres(other, one))

    def test_inside_a_box_is_no_distance(self):
        box = Box(34, 110, 36, 112)
        assert metres_outside(box, Point(35, 111)) == 0
        assert metres_outside(box, Point(37, 111)) == pytest.approx(111_195, rel=1e-3)


class TestPositionOfAFacility:
    async def test_it_is_shown_as_given_and_in_wgs84(self, facilities):
        given_position = {"latitude": 35.02205, "longitude": 111.00930, "crs": "GCJ-02"}
        body = await recorded(facilities, position=given_position)
        assert body["position"] == given_position
        assert body["latitude"] == pytest.approx(35.0228, abs=5e-5)
        assert body["longitude"] == pytest.approx(111.0035, abs=5e-5)
        [(_, event)] = await facilities.events()
        assert (event["latitude"], event["original_crs"]) == (body["latitude"], "GCJ-02")
        again = await facilities.client.patch(
            f"/v1/facilities/{body['id']}",
            json={"position": body["position"], "phone": "12345"},
            headers=manager() | {"If-Match": '"1"'},
        )
        assert again.json()["latitude"] == body["latitude"]

    async def far(self, facilities, **position):
        values = {"latitude": 36.4, "longitude": 111.0, "crs": "WGS-84"} | position
        body = facility(name="远处的中心", position=values)
        return await facilities.client.post("/v1/facilities", json=body, headers=manager())

    async def test_outside_the_recorded_extent_of_the_county(self, facilities):
        await put(facilities)
        answer = await self.far(facilities)
        [error] = answer.json()["errors"]
        assert (error["path"], error["type"]) == ("/position", "outside-county")
        assert "133 公里" in error["message"]
        assert await facilities.count("facility") == 0
        beside = await self.far(facilities, latitude=35.22)
        assert beside.status_code == 201

    async def test_far_from_all_other_places_of_the_county(self, facilities):
        for number in range(3):
            await recorded(facilities, name=f"中心{number}", division_code=OTHER_COMMUNITY)
        assert (await self.far(facilities)).json()["errors"][0]["type"] == "outside-county"
        assert (await self.far(facilities, latitude=35.3)).status_code == 201

    async def test_a_lonely_place_is_believed(self, facilities):
        assert (await self.far(facilities)).status_code == 201


async def put(facilities, body=EXTENT, *, headers=None, version=None, url=URL):
    headers = headers or statistician()
    if version is not None:
        headers = headers | {"If-Match": f'"{version}"'}
    return await facilities.client.put(url, json=body, headers=headers)


class TestExtent:
    async def test_recorded_and_corrected(self, facilities):
        assert (await facilities.client.get(URL)).json()["code"] == "extent-not-found"
        first = await put(facilities)
        assert (first.status_code, first.headers["etag"]) == (201, '"1"')
        assert (await put(facilities)).status_code == 428
        second = await put(facilities, EXTENT | {"north": 35.3}, version=1)
        assert (second.status_code, second.json()["version"]) == (200, 2)
        assert (await put(facilities, version=1)).json()["code"] == "stale-version"
        assert (await facilities.client.get(URL)).json()["north"] == 35.3

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, "unauthenticated"),
            (resident(), "wrong-role"),
            (bearer("facility-manager"), "wrong-role"),
            (statistician(OTHER_COUNTY), "wrong-division"),
        ],
    )
    async def test_who_may_not(self, facilities, headers, code):
        answer = await facilities.client.put(URL, json=EXTENT, headers=headers)
        assert answer.json()["code"] == code
        assert await facilities.count("division_extent") == 0

    async def test_what_is_refused(self, facilities):
        assert (await put(facilities, EXTENT | {"south": 36})).status_code == 422
        assert (await put(facilities, EXTENT | {"source": ""})).status_code == 422
        township = await put(facilities, url=URL.replace(COUNTY, TOWNSHIP))
        assert township.json()["code"] == "not-a-county"
        unknown = await put(
            facilities,
            headers=statistician(CITY),
            url=URL.replace(COUNTY, "140877000000"),
        )
        assert unknown.json()["code"] == "division-not-found"
        assert await facilities.count("division_extent") == 0
