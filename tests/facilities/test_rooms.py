import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.facilities.rooms.rules import RoomArea, by_use, shared, total
from tests.facilities.factories import OTHER_COUNTY, manager, recorded, versioned
from tests.support.tokens import bearer, resident

HALL = {"name": "便民服务大厅", "area_m2": 120, "seats": 20, "uses": ["one-stop-hall"]}
STUDY = {"name": "多功能室", "area_m2": 60.5, "uses": ["multi-purpose-room", "womens-home"]}


async def post(facilities, body, room, *, headers=None, version=1):
    return await facilities.client.post(
        f"/v1/facilities/{body['id']}/rooms",
        json=room,
        headers=versioned(headers or manager(), version),
    )


class TestRooms:
    async def test_a_shared_room_is_counted_once(self, facilities):
        body = await recorded(facilities)
        url = f"/v1/facilities/{body['id']}"
        hall = await post(facilities, body, HALL)
        assert (hall.status_code, hall.headers["etag"]) == (201, '"2"')
        assert (await post(facilities, body, STUDY, version=2)).status_code == 201
        rooms = (await facilities.client.get(f"{url}/rooms")).json()["items"]
        assert [room["name"] for room in rooms] == ["便民服务大厅", "多功能室"]
        areas = (await facilities.client.get(f"{url}/areas")).json()
        assert (areas["rooms_area_m2"], areas["shared_area_m2"]) == (180.5, 60.5)
        assert areas["counted_area_m2"] == 600
        assert [(use["use"], use["area_m2"]) for use in areas["by_use"]] == [
            ("multi-purpose-room", 60.5), ("one-stop-hall", 120), ("womens-home", 60.5),
        ]  # fmt: skip
        guest = await recorded(
            facilities, name="站中站", host_id=body["id"], total_area_m2=60,
            activity_area_m2=None, office_area_m2=None,
        )  # fmt: skip
        inside = (await facilities.client.get(f"/v1/facilities/{guest['id']}/areas")).json()
        assert inside["counted_area_m2"] == 0
        assert (await facilities.client.get(f"{url}/areas")).json()["guests"] == [guest["id"]]

    async def test_changes_are_versions_of_the_facility(self, facilities):
        body = await recorded(facilities)
        url = f"/v1/facilities/{body['id']}"
        room = (await post(facilities, body, HALL)).json()
        changed = await facilities.client.put(
            f"{url}/rooms/{room['id']}",
            json=HALL | {"area_m2": 130},
            headers=versioned(manager(), 2),
        )
        assert (changed.json()["area_m2"], changed.headers["etag"]) == (130, '"3"')
        gone = await facilities.client.delete(
            f"{url}/rooms/{room['id']}", headers=versioned(manager(), 3)
        )
        assert (gone.status_code, gone.headers["etag"]) == (204, '"4"')
        rows = await facilities.fetch("SELECT action, note FROM facility_history ORDER BY version")
        assert [row["action"] for row in rows] == [
            "record", "add-room", "change-room", "remove-room",
        ]  # fmt: skip
        assert rows[-1]["note"] == "便民服务大厅"
        again = await facilities.client.delete(
            f"{url}/rooms/{room['id']}", headers=versioned(manager(), 4)
        )
        assert again.json()["code"] == "room-not-found"

    async def test_what_is_refused_is_named_and_nothing_is_written(self, facilities):
        body = await recorded(facilities)
        odd = await post(facilities, body, HALL | {"area_m2": 601, "uses": ["emergency-shelter"]})
        assert {(error["path"], error["type"]) for error in odd.json()["errors"]} == {
            ("/uses/0", "use-unknown"), ("/area_m2", "area-too-large"),
        }  # fmt: skip
        both = await post(facilities, body, HALL | {"name": "", "area_m2": 601})
        assert both.json()["code"] == "room-invalid"
        assert [error["path"] for error in both.json()["errors"]] == ["/name", "/area_m2"]
        wrongs: list[dict[str, Any]] = [
            {"area_m2": 0},
            {"uses": []},
            {"uses": ["womens-home"] * 2},
            {"name": ""},
        ]
        for wrong in wrongs:
            assert (await post(facilities, body, HALL | wrong)).status_code == 422
        for headers, code in [
            (resident(), "wrong-role"),
            (bearer("statistician"), "wrong-role"),
            (manager(OTHER_COUNTY), "wrong-division"),
        ]:
            assert (await post(facilities, body, HALL, headers=headers)).json()["code"] == code
        assert await facilities.count("room") == 0
        assert len(await facilities.events()) == 1

    async def test_the_place_cannot_shrink_below_its_rooms_nor_hold_two_of_one_name(
        self, facilities
    ):
        body = await recorded(facilities, activity_area_m2=None, office_area_m2=None)
        await post(facilities, body, HALL)
        twin = await post(facilities, body, HALL, version=2)
        assert twin.json()["code"] == "room-name-taken"
        small = await facilities.client.patch(
            f"/v1/facilities/{body['id']}",
            json={"total_area_m2": 100},
            headers=versioned(manager(), 2),
        )
        assert [error["type"] for error in small.json()["errors"]] == ["area-too-small"]

    async def test_a_repeat_adds_once_and_of_two_at_once_one_loses(self, facilities):
        body = await recorded(facilities)
        keyed = manager() | {"Idempotency-Key": "room-1"}
        first = await post(facilities, body, HALL, headers=keyed)
        second = await post(facilities, body, HALL, headers=keyed)
        assert second.json() == first.json()
        answers = await asyncio.gather(
            *(post(facilities, body, STUDY | {"name": f"室{n}"}, version=2) for n in range(3))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert await facilities.count("room") == 2


rooms = st.lists(
    st.builds(
        RoomArea,
        st.none() | st.integers(1, 500),
        st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True),
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(rooms)
def test_no_room_counts_twice(found):
    assert total(found) == sum(room.area_m2 or 0 for room in found)
    assert shared(found) <= total(found)
    for area in (area for _, area in by_use(found).values() if area is not None):
        assert area <= total(found)


@pytest.mark.parametrize("uses", [["a"], ["a", "b"]])
def test_an_area_nobody_measured_is_no_zero(uses):
    assert by_use([RoomArea(None, uses), RoomArea(10, ["a"])])["a"] == (2, None)
