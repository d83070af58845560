import pytest

from tests.requests.factories import COUNTY_UNIT, ITEM_CODE, VILLAGE
from tests.support.tokens import bearer, resident

BODY = {"item_code": ITEM_CODE, "division_code": VILLAGE}


class TestExplain:
    async def test_says_which_rule_fires_and_writes_nothing(self, service):
        answer = await service.client.post(
            "/v1/routing/explain", json=BODY, headers=bearer("window-clerk")
        )
        explanation = answer.json()
        assert explanation["unit"] == COUNTY_UNIT
        assert explanation["unit_name"] == "盐湖区民政局"
        assert explanation["rule"]
        assert await service.count("service_case") == 0

    async def test_unknown_item(self, service):
        answer = await service.client.post(
            "/v1/routing/explain",
            json=BODY | {"item_code": "provisional:nothing"},
            headers=bearer("window-clerk"),
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "item-unknown")

    @pytest.mark.parametrize("who", [resident(), bearer("catalogue-editor")])
    async def test_staff_of_requests_only(self, service, who):
        answer = await service.client.post("/v1/routing/explain", json=BODY, headers=who)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")


class TestUnits:
    async def test_units_of_a_county_page_by_page(self, service):
        seen: list = []
        after: str | None = ""
        while after is not None:
            path = f"/v1/units?within=140802000000&limit=100{after}"
            page = (await service.client.get(path, headers=resident())).json()
            seen += [unit["code"] for unit in page["items"]]
            after = f"&after={page['next']}" if page["next"] else None
        assert COUNTY_UNIT in seen
        assert seen == sorted(set(seen))
        assert all(code.startswith("140802") for code in seen)
