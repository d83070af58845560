import asyncio
from uuid import uuid4

import pytest

from contracts.facilities import FacilityRecorded
from tests.facilities.factories import (
    CITY,
    COMMUNITY,
    COUNTY,
    OTHER_COMMUNITY,
    OTHER_COUNTY,
    TOWNSHIP,
    VILLAGE,
    facility,
    manager,
    recorded,
    workdays,
)
from tests.support.tokens import bearer, resident

URL = "/v1/facilities"


async def nothing_written(facilities) -> bool:
    return (
        await facilities.count("facility") == 0
        and await facilities.count("facility_history") == 0
        and await facilities.events() == []
    )


def versioned(headers, version=1):
    return headers | {"If-Match": f'"{version}"'}


class TestCreateFacility:
    async def test_state_history_and_event_are_written_together(self, facilities):
        answer = await facilities.client.post(URL, json=facility(), headers=manager())
        assert answer.status_code == 201
        assert answer.headers["etag"] == '"1"'
        body = answer.json()
        assert body["type_name"] == "党群服务中心"
        assert body["division_path"].startswith("山西省/运城市/盐湖区/中城街道/")
        assert body["state"] == "open"
        assert body["activity_area_m2"] == 380.5
        assert body["accessibility"]["ramp"] is True
        assert body["accessibility"]["tactile_paving"] is None
        [(event_type, event)] = await facilities.events()
        assert event_type == FacilityRecorded.event_type
        state = FacilityRecorded.model_validate(event)
        assert (str(state.facility_id), state.version, state.state) == (body["id"], 1, "open")
        assert (state.latitude, state.longitude) == (35.0228, 111.0035)
        assert state.weekly_hours is not None
        assert state.weekly_hours["monday"][0] == {"opens": "08:30", "closes": "12:00"}
        assert state.total_area_m2 == 600
        [history] = await facilities.fetch("SELECT action, to_state, version FROM facility_history")
        assert tuple(history) == ("record", "open", 1)

    async def test_it_is_read_as_it_was_answered(self, facilities):
        body = await recorded(facilities)
        answer = await facilities.client.get(f"{URL}/{body['id']}")
        assert answer.json() == body
        assert answer.headers["etag"] == '"1"'

    async def test_without_a_state_it_is_planned(self, facilities):
        body = facility()
        del body["state"]
        answer = await facilities.client.post(URL, json=body, headers=manager())
        assert answer.json()["state"] == "planned"
        assert answer.json()["possible_actions"] == [
            "start-building", "start-operation", "close",
        ]  # fmt: skip

    async def test_the_least_that_is_needed(self, facilities):
        body = {
            "name": " 解州  卫生室 ",
            "facility_type": "village-clinic",
            "division_code": COMMUNITY,
            "address": "村东头",
        }
        answer = await facilities.client.post(URL, json=body, headers=manager())
        assert answer.status_code == 201
        assert answer.json()["name"] == "解州 卫生室"
        assert answer.json()["weekly_hours"] is None
        assert answer.json()["short_days"] == []

    async def test_days_of_less_than_eight_hours_are_flagged(self, facilities):
        hours = workdays() | {"friday": [{"opens": "09:00", "closes": "12:00"}]}
        body = await recorded(facilities, weekly_hours=hours)
        assert body["short_days"] == [
            {"weekday": "friday", "minutes": 180, "season": None},
            {"weekday": "saturday", "minutes": 0, "season": None},
            {"weekday": "sunday", "minutes": 0, "season": None},
        ]

    async def test_a_shelter_need_not_open_for_eight_hours(self, facilities):
        body = await recorded(facilities, facility_type="emergency-shelter")
        assert body["short_days"] == []

    async def test_a_repeat_answers_alike_and_writes_once(self, facilities):
        headers = manager() | {"Idempotency-Key": "facility-1"}
        first = await facilities.client.post(URL, json=facility(), headers=headers)
        second = await facilities.client.post(URL, json=facility(), headers=headers)
        assert second.content == first.content
        assert second.headers["etag"] == '"1"'
        assert await facilities.count("facility") == 1
        assert len(await facilities.events()) == 1

    async def test_of_two_with_one_name_at_once_one_loses(self, facilities):
        answers = await asyncio.gather(
            *(facilities.client.post(URL, json=facility(), headers=manager()) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert len(await facilities.events()) == 1

    async def test_the_same_name_in_the_same_division_is_refused(self, facilities):
        await recorded(facilities)
        answer = await facilities.client.post(URL, json=facility(), headers=manager())
        assert (answer.status_code, answer.json()["code"]) == (409, "facility-name-taken")
        assert await facilities.count("facility") == 1
        await recorded(facilities, division_code=OTHER_COMMUNITY)
        await recorded(facilities, name="另一处党群服务中心")

    async def test_the_name_of_a_closed_place_is_free(self, facilities):
        await recorded(facilities, state="closed")
        await recorded(facilities)

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"name": "一"}, "/name"),
            ({"name": None}, "/name"),
            ({"facility_type": "Not A Code"}, "/facility_type"),
            ({"division_code": "1408"}, "/division_code"),
            ({"phone": "12"}, "/phone"),
            ({"phone": "0359-2012345 王主任"}, "/phone"),
            ({"total_area_m2": -1}, "/total_area_m2"),
            ({"total_area_m2": "nan"}, "/total_area_m2"),
            (
                {"position": {"latitude": 91, "longitude": 111, "crs": "WGS-84"}},
                "/position/latitude",
            ),
            ({"position": {"latitude": 35, "longitude": 111, "crs": "UTM"}}, "/position/crs"),
            ({"position": {"latitude": 35, "longitude": 111}}, "/position/crs"),
            ({"position": {"latitude": 35, "crs": "GCJ-02"}}, "/position/longitude"),
            ({"contacts": [{"post": "咨询台", "phone": "王"}]}, "/contacts/0/phone"),
            ({"sharing": {"organisation": "某厂", "terms": "周末", "uscc": "1"}}, "/sharing/uscc"),
            ({"acquired_by": "stolen"}, "/acquired_by"),
            ({"last_entry_minutes": -1}, "/last_entry_minutes"),
            ({"state": "ruined"}, "/state"),
            ({"accessibility": {"ramps": True}}, "/accessibility/ramps"),
            ({"owner": "张三"}, "/owner"),
            ({"weekly_hours": {"moonday": []}}, "/weekly_hours/moonday"),
            (
                {"weekly_hours": {"monday": [{"opens": "8:30", "closes": "12:00"}]}},
                "/weekly_hours/monday/0/opens",
            ),
            (
                {"weekly_hours": {"monday": [{"opens": "18:00", "closes": "08:00"}]}},
                "/weekly_hours/monday",
            ),
        ],
    )
    async def test_a_bad_field_is_named_and_nothing_is_written(self, facilities, change, path):
        answer = await facilities.client.post(URL, json=facility(**change), headers=manager())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
        assert path in [error["path"] for error in answer.json()["errors"]]
        assert await nothing_written(facilities)

    async def test_overlapping_hours_are_named_by_day(self, facilities):
        overlapping = [{"opens": "08:00", "closes": "12:00"}, {"opens": "11:00", "closes": "13:00"}]
        hours = {"monday": overlapping, "sunday": overlapping}
        answer = await facilities.client.post(
            URL, json=facility(weekly_hours=hours), headers=manager()
        )
        errors = {error["path"]: error["message"] for error in answer.json()["errors"]}
        assert set(errors) == {"/weekly_hours/monday", "/weekly_hours/sunday"}
        assert "第 2 段与同一天的另一段时间重叠" in errors["/weekly_hours/monday"]
        assert await nothing_written(facilities)

    @pytest.mark.parametrize("change", [{"address": "解放路\x00一号"}, {"name": "解放路\x00"}])
    async def test_text_that_cannot_be_stored_is_refused(self, facilities, change):
        answer = await facilities.client.post(URL, json=facility(**change), headers=manager())
        assert (answer.status_code, answer.json()["code"]) == (422, "unstorable-text")
        assert await nothing_written(facilities)

    async def test_everything_that_contradicts_is_named_at_once(self, facilities):
        body = facility(
            facility_type="castle",
            division_code="140802999999",
            total_area_m2=100,
            activity_area_m2=300,
            tenure_until="2027-01-01",
            position={"latitude": 35.0, "longitude": 35.0, "crs": "WGS-84"},
            host_id=str(uuid4()),
        )
        answer = await facilities.client.post(URL, json=body, headers=manager())
        assert (answer.status_code, answer.json()["code"]) == (422, "facility-invalid")
        assert {(error["path"], error["type"]) for error in answer.json()["errors"]} == {
            ("/activity_area_m2", "area-too-large"),
            ("/position/longitude", "outside-china"),
            ("/tenure_until", "tenure-not-limited"),
            ("/host_id", "host-unknown"),
            ("/facility_type", "type-unknown"),
            ("/division_code", "division-unknown"),
        }
        assert await nothing_written(facilities)

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({}, 401, "unauthenticated"),
            (resident(), 403, "wrong-role"),
            (bearer("statistician"), 403, "wrong-role"),
            (manager(OTHER_COUNTY), 403, "wrong-division"),
            (manager(OTHER_COMMUNITY), 403, "wrong-division"),
            (bearer("facility-manager", division=None), 403, "wrong-division"),
        ],
    )
    async def test_who_may_not(self, facilities, headers, status, code):
        answer = await facilities.client.post(URL, json=facility(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await nothing_written(facilities)

    @pytest.mark.parametrize("division", [CITY, COUNTY, TOWNSHIP, COMMUNITY])
    async def test_managers_of_every_division_above_may(self, facilities, division):
        await recorded(facilities, manager(division))

    async def test_nothing_is_recorded_in_a_closed_division(self, bare):
        await bare.fetch(
            "INSERT INTO division (code, name, level, source, version, recorded_at, valid_until) "
            "VALUES ('140000000000', '旧省', 'province', '', 1, now(), '2020-01-01')"
        )
        answer = await bare.client.post(
            URL, json=facility(division_code="140000000000"), headers=manager("140000000000")
        )
        assert "division-unknown" in {error["type"] for error in answer.json()["errors"]}


class TestChangeFacility:
    async def change(self, facilities, body, change, *, headers=None, version=1):
        return await facilities.client.patch(
            f"{URL}/{body['id']}", json=change, headers=versioned(headers or manager(), version)
        )

    async def test_what_is_left_out_stays_and_null_clears(self, facilities):
        body = await recorded(facilities)
        answer = await self.change(facilities, body, {"phone": None, "total_area_m2": 700})
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"2"'
        changed = answer.json()
        assert (changed["phone"], changed["total_area_m2"], changed["version"]) == (None, 700, 2)
        kept = set(body) - {"phone", "total_area_m2", "version", "recorded_at"}
        assert {name: changed[name] for name in kept} == {name: body[name] for name in kept}

    async def test_each_change_has_its_history_and_its_event(self, facilities):
        body = await recorded(facilities)
        await self.change(facilities, body, {"name": "新名字"})
        await self.change(facilities, body, {"weekly_hours": None}, version=2)
        events = [event for _, event in await facilities.events()]
        assert [event["version"] for event in events] == [1, 2, 3]
        assert events[1]["name"] == "新名字"
        assert events[2]["weekly_hours"] is None
        url = f"{URL}/{body['id']}/versions"
        page = (await facilities.client.get(f"{url}?limit=2", headers=manager())).json()
        assert [entry["version"] for entry in page["items"]] == [3, 2]
        assert page["items"][1]["snapshot"]["name"] == "新名字"
        assert page["items"][1]["snapshot"]["weekly_hours"] is not None
        rest = await facilities.client.get(f"{url}?after={page['next']}", headers=manager())
        assert [entry["action"] for entry in rest.json()["items"]] == ["record"]

    @pytest.mark.parametrize(
        "change", [{}, {"total_area_m2": 600.001}, {"name": " 中城社区党群服务中心 "}]
    )
    async def test_a_change_of_nothing_leaves_no_trace(self, facilities, change):
        body = await recorded(facilities)
        answer = await self.change(facilities, body, change)
        assert answer.json() == body
        assert len(await facilities.events()) == 1

    async def test_the_record_as_a_whole_must_hold(self, facilities):
        body = await recorded(facilities)
        answer = await self.change(facilities, body, {"total_area_m2": 100})
        assert answer.status_code == 422
        assert [error["path"] for error in answer.json()["errors"]] == ["/activity_area_m2"]
        assert (await facilities.client.get(f"{URL}/{body['id']}")).json() == body
        assert len(await facilities.events()) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"name": None},
            {"address": ""},
            {"state": "closed"},
            {"accessibility": None},
            {"id": "x"},
        ],
    )
    async def test_bad_changes_are_refused(self, facilities, change):
        body = await recorded(facilities)
        answer = await self.change(facilities, body, change)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
        assert len(await facilities.events()) == 1

    async def test_it_cannot_take_a_name_that_is_taken(self, facilities):
        await recorded(facilities, name="甲服务中心")
        body = await recorded(facilities, name="乙服务中心")
        answer = await self.change(facilities, body, {"name": "甲服务中心"})
        assert answer.json()["code"] == "facility-name-taken"
        assert len(await facilities.events()) == 2

    async def test_a_lost_race_is_a_conflict(self, facilities):
        body = await recorded(facilities)
        answers = await asyncio.gather(
            *(self.change(facilities, body, {"total_area_m2": 700 + n}) for n in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert len(await facilities.events()) == 2

    async def test_the_version_is_needed(self, facilities):
        body = await recorded(facilities)
        answer = await facilities.client.patch(
            f"{URL}/{body['id']}", json={"phone": None}, headers=manager()
        )
        assert answer.status_code == 428

    async def test_it_stays_within_the_managers_division(self, facilities):
        body = await recorded(facilities)
        headers = manager(TOWNSHIP)
        away = await self.change(facilities, body, {"division_code": VILLAGE}, headers=headers)
        assert away.json()["code"] == "wrong-division"
        beside = {"division_code": OTHER_COMMUNITY}
        moved = await self.change(facilities, body, beside, headers=headers)
        assert moved.json()["division_code"] == OTHER_COMMUNITY

    async def test_someone_elses_place(self, facilities):
        body = await recorded(facilities)
        for headers, code in [
            (manager(OTHER_COUNTY), "wrong-division"),
            (bearer("auditor"), "wrong-role"),
            (resident(), "wrong-role"),
        ]:
            answer = await self.change(facilities, body, {"phone": None}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        assert len(await facilities.events()) == 1

    async def test_an_unknown_place(self, facilities):
        answer = await self.change(facilities, {"id": uuid4()}, {"phone": None})
        assert (answer.status_code, answer.json()["code"]) == (404, "facility-not-found")


class TestMoveFacility:
    async def move(self, facilities, body, action, *, headers=None, version=1, **fields):
        return await facilities.client.post(
            f"{URL}/{body['id']}/transitions",
            json={"action": action, "note": "检修", **fields},
            headers=versioned(headers or manager(), version),
        )

    async def test_from_the_plan_to_the_repair(self, facilities):
        body = await recorded(facilities, state="planned")
        steps = ["start-building", "start-operation", "start-repair", "start-operation", "close"]
        states = []
        for version, action in enumerate(steps, start=1):
            answer = await self.move(facilities, body, action, version=version, note="按计划")
            assert answer.status_code == 200
            states.append(answer.json()["state"])
        assert states == ["building", "open", "repair", "open", "closed"]
        events = [event for _, event in await facilities.events()]
        assert [event["state"] for event in events] == ["planned", *states]
        rows = await facilities.fetch(
            "SELECT action, from_state, to_state, note FROM facility_history ORDER BY version"
        )
        assert [row["action"] for row in rows] == ["record", *steps]
        assert [row["from_state"] for row in rows] == [None, "planned", *states[:-1]]
        assert {row["note"] for row in rows[1:]} == {"按计划"}

    async def test_what_cannot_be_done_says_what_can(self, facilities):
        body = await recorded(facilities, state="planned")
        answer = await self.move(facilities, body, "start-repair")
        assert (answer.status_code, answer.json()["code"]) == (409, "action-impossible")
        assert answer.json()["possible"] == ["start-building", "start-operation", "close"]
        assert len(await facilities.events()) == 1

    async def test_a_repeat_moves_once(self, facilities):
        body = await recorded(facilities)
        headers = manager() | {"Idempotency-Key": "move-1"}
        first = await self.move(facilities, body, "start-repair", headers=headers)
        second = await self.move(facilities, body, "start-repair", headers=headers)
        assert (second.status_code, second.content) == (200, first.content)
        assert len(await facilities.events()) == 2

    async def test_a_lost_race_is_a_conflict(self, facilities):
        body = await recorded(facilities)
        answers = await asyncio.gather(
            self.move(facilities, body, "start-repair"), self.move(facilities, body, "close")
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert len(await facilities.events()) == 2

    async def test_a_reopened_place_may_find_its_name_taken(self, facilities):
        body = await recorded(facilities, state="closed")
        await recorded(facilities)
        answer = await self.move(facilities, body, "start-operation")
        assert answer.json()["code"] == "facility-name-taken"

    async def test_who_may_not(self, facilities):
        body = await recorded(facilities)
        unsaid = await self.move(facilities, body, "close", note=None)
        assert (unsaid.status_code, unsaid.json()["code"]) == (422, "reason-missing")
        elsewhere = await self.move(facilities, body, "close", headers=manager(OTHER_COUNTY))
        assert elsewhere.json()["code"] == "wrong-division"
        wrong = await self.move(facilities, body, "close", headers=bearer("handler"))
        assert wrong.json()["code"] == "wrong-role"
        unknown = await self.move(facilities, body, "explode")
        assert unknown.status_code == 422
        assert len(await facilities.events()) == 1


class TestListFacilities:
    async def listed(self, facilities, **query):
        answer = await facilities.client.get(URL, params=query)
        assert answer.status_code == 200, answer.text
        return [entry["name"] for entry in answer.json()["items"]]

    async def test_by_division_type_and_state(self, facilities):
        await recorded(facilities, name="甲中心")
        await recorded(facilities, name="乙中心", state="repair")
        await recorded(
            facilities, name="丙卫生室", division_code=VILLAGE, facility_type="village-clinic"
        )
        await recorded(facilities, manager(OTHER_COUNTY), name="丁中心", division_code=OTHER_COUNTY)
        assert await self.listed(facilities) == ["甲中心", "乙中心", "丙卫生室", "丁中心"]
        assert await self.listed(facilities, within=TOWNSHIP) == ["甲中心", "乙中心"]
        assert await self.listed(facilities, within=COUNTY, state="repair") == ["乙中心"]
        assert await self.listed(facilities, facility_type="village-clinic") == ["丙卫生室"]
        assert await self.listed(facilities, within=VILLAGE, state="repair") == []

    async def test_pages_join_without_gap_or_repeat(self, facilities):
        for number in range(7):
            division = VILLAGE if number % 2 else COMMUNITY
            await recorded(facilities, name=f"中心{number}", division_code=division)
        seen, after = [], None
        while True:
            query = {"limit": 2} | ({"after": after} if after else {})
            body = (await facilities.client.get(URL, params=query)).json()
            seen += [entry["name"] for entry in body["items"]]
            after = body["next"]
            if after is None:
                break
        assert seen == ["中心0", "中心2", "中心4", "中心6", "中心1", "中心3", "中心5"]

    @pytest.mark.parametrize("after", ["AAAA", "WzEsMl0", "WyJhIiwiYiJd", "WyJhIl0"])
    async def test_a_foreign_cursor_is_refused(self, facilities, after):
        answer = await facilities.client.get(URL, params={"after": after})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    async def test_an_unknown_state_is_refused(self, facilities):
        assert (await facilities.client.get(f"{URL}?state=ruined")).status_code == 422


class TestReadFacility:
    async def test_an_unknown_place(self, facilities):
        answer = await facilities.client.get(f"{URL}/{uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (404, "facility-not-found")

    async def test_no_identifier(self, facilities):
        assert (await facilities.client.get(f"{URL}/1")).status_code == 422

    async def test_history_is_for_managers_and_auditors_of_the_division(self, facilities):
        body = await recorded(facilities)
        url = f"{URL}/{body['id']}/versions"
        assert (await facilities.client.get(url)).status_code == 401
        assert (await facilities.client.get(url, headers=resident())).status_code == 403
        elsewhere = await facilities.client.get(url, headers=manager(OTHER_COUNTY))
        assert elsewhere.json()["code"] == "wrong-division"
        auditor = await facilities.client.get(url, headers=bearer("auditor", division=CITY))
        assert auditor.status_code == 200


class TestTypes:
    async def test_the_dictionary_names_kinds_with_their_source(self, facilities):
        answer = await facilities.client.get(f"{URL}/types")
        items = answer.json()["items"]
        assert items[0]["group_name"] == "综合服务"
        assert all(entry["provisional"] and entry["source"] for entry in items)
        assert sum(entry["is_comprehensive"] for entry in items) == 4
        again = await facilities.client.get(
            f"{URL}/types", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304
