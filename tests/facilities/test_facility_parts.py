import json
from typing import Any

from tests.facilities.factories import (
    OTHER_COMMUNITY,
    VILLAGE,
    facility,
    manager,
    recorded,
    versioned,
)

URL = "/v1/facilities"


class TestParts:
    """What a record holds beside the name and the areas."""

    async def test_all_of_it_comes_back_and_stays_in_the_history(self, facilities):
        parts: dict[str, Any] = {
            "acquired_by": "rented",
            "tenure": "rented",
            "tenure_until": "2020-12-31",
            "in_use_since": "2019-03-01",
            "contacts": [{"post": "咨询台", "phone": "0359-2012345"}],
            "sharing": {
                "organisation": "盐湖中学",
                "uscc": None,
                "terms": "周末开放操场",
                "until": "2099-12-31",
            },
            "emergency": {
                "capacity_persons": 300,
                "shelter_area_m2": 900.0,
                "stock": [{"name": "饮用水", "quantity": 500, "unit": "瓶", "expires_on": "2021-01-01"}],
                "stock_checked_on": "2026-06-01",
            },
            "seasons": [
                {"name": "夏季", "first": "05-01", "last": "09-30", "hours": {"monday": []}},
            ],
            "holiday_policy": {"holidays": "closed", "make_up_days": "as-weekday"},
            "last_entry_minutes": 20,
        }  # fmt: skip
        body = await recorded(facilities, **parts)
        assert {name: body[name] for name in parts if name != "seasons"} == {
            name: value for name, value in parts.items() if name != "seasons"
        }
        assert body["seasons"][0]["hours"]["sunday"] == []
        assert {"weekday": "monday", "minutes": 0, "season": "夏季"} in body["short_days"]
        assert [finding["code"] for finding in body["findings"]] == [
            "stock-expired", "tenure-ended",
        ]  # fmt: skip
        [row] = await facilities.fetch("SELECT snapshot FROM facility_history")
        assert json.loads(row["snapshot"])["sharing"]["organisation"] == "盐湖中学"

    async def test_plates_are_checked_at_a_villages_centre_only(self, facilities):
        signage = {"checked_on": "2026-05-01", "outside": [{"kind": "other", "text": "某某工作站"}]}
        village = await recorded(facilities, division_code=VILLAGE, signage=signage)
        assert village["findings"][0] == {
            "code": "plate-superfluous", "message": "外部不应悬挂：某某工作站",
        }  # fmt: skip
        assert (await recorded(facilities, signage=signage))["findings"] == []

    async def test_seasons_that_share_days_are_refused(self, facilities):
        season = {"first": "05-01", "last": "09-30", "hours": {}}
        seasons = [season | {"name": "夏季"}, season | {"name": "雨季"}]
        answer = await facilities.client.post(
            URL, json=facility(seasons=seasons), headers=manager()
        )
        assert [error["path"] for error in answer.json()["errors"]] == ["/seasons"]
        odd = [season | {"name": "无日", "first": "02-30"}]
        answer = await facilities.client.post(URL, json=facility(seasons=odd), headers=manager())
        assert [error["path"] for error in answer.json()["errors"]] == ["/seasons/0/first"]
        assert await facilities.count("facility") == 0
        assert await facilities.events() == []


class TestHost:
    """一室多用: a place inside another, whose area is counted there."""

    async def refused(self, facilities, **fields):
        answer = await facilities.client.post(URL, json=facility(**fields), headers=manager())
        return [error["type"] for error in answer.json()["errors"]]

    async def test_one_level_one_division_and_room_enough(self, facilities):
        host = (await recorded(facilities))["id"]
        day_care = {"name": "日间照料室", "facility_type": "day-care-centre", "host_id": host}
        small = {"total_area_m2": 80, "activity_area_m2": 60, "office_area_m2": None}
        guest = await recorded(facilities, **(day_care | small))
        assert guest["host_id"] == host
        nested = day_care | small | {"name": "屋中屋", "host_id": guest["id"]}
        assert await self.refused(facilities, **nested) == ["host-nested"]
        large = day_care | {"name": "大屋", "total_area_m2": 700}
        assert await self.refused(facilities, **large) == ["area-too-large"]
        away = day_care | small | {"name": "远屋", "division_code": OTHER_COMMUNITY}
        assert await self.refused(facilities, **away) == ["host-elsewhere"]
        other = await recorded(facilities, name="另一处")
        moved = await facilities.client.patch(
            f"{URL}/{host}", json={"host_id": other["id"]}, headers=versioned(manager())
        )
        assert [error["type"] for error in moved.json()["errors"]] == ["host-nested"]
        assert await facilities.count("facility") == 3
