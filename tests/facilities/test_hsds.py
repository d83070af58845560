import json
import os
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import ItemPaused
from servicekit.outbox import now
from services.facilities.hours.rules import LOCAL
from services.facilities.hsds import rules
from services.facilities.items.consumers import keep_item
from tests.facilities.factories import (
    CITY,
    VILLAGE,
    deliver,
    item_event,
    manager,
    recorded,
    versioned,
)
from tests.facilities.hsds_shapes import SCHEMAS, contradictions, faults, page_faults

FEE = {"charged": True, "basis": "示例", "entries": [{"name": "工本费", "standard": "每证 10 元"}]}


PATHS = (
    "services", "locations", "organizations", "service_at_locations", "taxonomies",
    "taxonomy_terms",
)  # fmt: skip


async def offered(facilities, *events, **overrides):
    """A place whose only counter takes these items."""
    for event in events:
        await deliver(facilities, keep_item, event)
    body = await recorded(facilities, **overrides)
    answer = await facilities.client.post(
        f"/v1/facilities/{body['id']}/counters",
        json={"name": "1 号窗口", "items": [str(event.item_id) for event in events]},
        headers=versioned(manager()),
    )
    assert answer.status_code == 201, answer.text
    return body


async def get(facilities, path, **query):
    answer = await facilities.client.get(f"/hsds/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestServices:
    async def test_everything_about_a_service_is_as_the_standard_says(self, facilities):
        event = item_event(fee=FEE)
        season = {"name": "夏季", "first": "05-01", "last": "09-30", "hours": {"monday": []}}
        body = await offered(
            facilities, event,
            seasons=[season], holiday_policy={"holidays": "closed"},
            contacts=[{"post": "咨询台", "phone": "12345"}],
        )  # fmt: skip
        tomorrow = now().astimezone(LOCAL).date() + timedelta(days=1)
        await facilities.client.put(
            f"/v1/facilities/{body['id']}/hours-exceptions/{tomorrow}",
            json={"intervals": [], "reason": "停电检修"},
            headers=versioned(manager(), 2),
        )
        service = await get(facilities, f"services/{event.item_id}")
        assert faults("service", service) == []
        assert service["status"] == "active"
        assert service["cost_options"][0]["amount_description"] == "每证 10 元"
        assert service["required_documents"][0]["document"] == "居民身份证（必要）"
        [placed] = service["service_at_locations"]
        schedules = placed["location"]["schedules"]
        assert (schedules[0]["byday"], schedules[0]["opens_at"]) == (
            "MO,TU,WE,TH,FR", "08:30+08:00",
        )  # fmt: skip
        assert schedules[0]["notes"] == "法定节假日不开放"
        assert schedules[-1]["description"] == "不开放：停电检修"
        access = {
            each["description"]: each["details"] for each in placed["location"]["accessibility"]
        }
        assert access == {"坡道": "有", "电梯": "无"}
        again = await get(facilities, f"service_at_locations/{placed['id']}")
        assert faults("service_at_location", again) == []
        assert again["location_id"] == body["id"]

    async def test_lists_are_paged_searched_and_narrowed(self, facilities):
        events = [
            item_event(item_code=f"provisional:item-{n}", name=f"{name}办理")
            for n, name in enumerate(("老年优待证", "临时救助", "就业登记"))
        ]
        await offered(facilities, *events)
        first = await get(facilities, "services", per_page=2)
        assert [service["name"] for service in first["contents"]] == [
            "老年优待证办理",
            "临时救助办理",
        ]
        assert (first["total_items"], first["total_pages"], first["last_page"]) == (3, 2, False)
        for service in first["contents"]:
            assert faults("service", service) == []
        second = await get(facilities, "services", per_page=2, page=2)
        assert (second["size"], second["last_page"], second["first_page"]) == (1, True, False)
        found = await get(facilities, "services", search="就业", full=True)
        assert [faults("service", service) for service in found["contents"]] == [[]]
        city = str(rules.organization_id(CITY))
        assert (await get(facilities, "services", organization_id=city))["total_items"] == 3
        village = str(rules.organization_id(VILLAGE))
        assert (await get(facilities, "services", organization_id=village))["empty"]
        terms = await get(facilities, "taxonomy_terms", search="党群")
        term = terms["contents"][0]["id"]
        assert (await get(facilities, "services", taxonomy_term_id=term))["total_items"] == 3

    async def test_what_changed_since_a_time(self, facilities):
        event = item_event()
        await offered(facilities, event)
        before = now()
        assert (await get(facilities, "services", modified_after=before.isoformat()))["empty"]
        later = {"revision": 2, "recorded_at": now()}
        paused = ItemPaused(**(event.model_dump() | later), reason="检修")
        await deliver(facilities, keep_item, paused)
        changed = await get(facilities, "services", modified_after=before.isoformat(), minimal=True)
        [entry] = changed["contents"]
        assert (UUID(entry["id"]), set(entry)) == (event.item_id, {"id", "modified_date"})
        service = await get(facilities, f"services/{event.item_id}")
        assert service["status"] == "temporarily closed"

    async def test_what_no_open_counter_takes_is_no_service(self, facilities):
        event = item_event()
        body = await offered(facilities, event)
        closed = await facilities.client.post(
            f"/v1/facilities/{body['id']}/transitions",
            json={"action": "close", "note": "撤并"},
            headers=versioned(manager(), 2),
        )
        assert closed.status_code == 200
        assert (await get(facilities, "services"))["empty"]
        gone = await facilities.client.get(f"/hsds/services/{event.item_id}")
        assert (gone.status_code, gone.json()["code"]) == (404, "hsds-not-found")


class TestOthers:
    async def test_organisations_locations_and_terms(self, facilities):
        await offered(facilities, item_event())
        await recorded(facilities, name="没有窗口的村中心", division_code=VILLAGE, position=None)
        locations = (await get(facilities, "locations"))["contents"]
        assert [faults("location", location) for location in locations] == [[], []]
        one = await get(facilities, f"locations/{locations[0]['id']}")
        assert one == locations[0]
        organizations = (await get(facilities, "organizations"))["contents"]
        assert {
            faults_of for o in organizations for faults_of in faults("organization", o)
        } == set()
        assert {o["name"] for o in organizations} >= {"运城市"}
        assert {o["id"] for o in organizations} >= {one["organization_id"]}
        read = await get(facilities, f"organizations/{one['organization_id']}")
        assert read["id"] == one["organization_id"]
        placed = (await get(facilities, "service_at_locations"))["contents"]
        assert [faults("service_at_location", each) for each in placed] == [[]]
        [taxonomy] = (await get(facilities, "taxonomies"))["contents"]
        assert faults("taxonomy", taxonomy) == []
        assert await get(facilities, f"taxonomies/{taxonomy['id']}") == taxonomy
        term = (await get(facilities, "taxonomy_terms"))["contents"][0]
        assert faults("taxonomy_term", term) == []
        assert await get(facilities, f"taxonomy_terms/{term['id']}") == term

    async def test_the_version_is_told(self, facilities):
        answer = await facilities.client.get(
            "/hsds", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "yichuang.example"}
        )
        assert answer.json()["version"] == "3.0"
        assert answer.json()["openapi_url"] == "https://yichuang.example/openapi.json"

    @pytest.mark.parametrize(
        "kind",
        PATHS,
    )
    async def test_what_is_not_there(self, facilities, kind):
        answer = await facilities.client.get(f"/hsds/{kind}/{uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (404, "hsds-not-found")
        assert (await facilities.client.get(f"/hsds/{kind}?page=0")).status_code == 422


class TestPages:
    async def test_every_list_is_a_page_of_the_standard(self, facilities):
        events = [item_event(item_code=f"provisional:item-{n}", fee=FEE) for n in range(3)]
        body = await offered(facilities, *events)
        await recorded(facilities, name="村中心", division_code=VILLAGE)
        for path, kind in (
            ("services", "service"),
            ("service_at_locations", "service_at_location"),
            ("locations", "location"),
            ("organizations", "organization"),
            ("taxonomies", "taxonomy"),
            ("taxonomy_terms", "taxonomy_term"),
        ):
            whole = await get(facilities, path, per_page=100)
            assert page_faults(kind, whole) == []
            found, pages = [], whole["total_items"]
            for number in range(1, pages + 1):
                page = await get(facilities, path, per_page=1, page=number)
                assert page_faults(kind, page) == []
                assert (page["page_number"], page["total_pages"]) == (number, pages)
                found += page["contents"]
            assert found == whole["contents"]
            beyond = await get(facilities, path, per_page=1, page=pages + 1)
            assert (beyond["empty"], beyond["last_page"]) == (True, True)
            assert page_faults(kind, beyond) == []
            nothing = (
                await get(facilities, path, search="没有这样的") if kind != "taxonomy" else beyond
            )
            assert page_faults(kind, nothing) == []
        placed = await get(facilities, "service_at_locations", search="临时救助")
        assert placed["total_items"] == 3
        assert {one["location_id"] for one in placed["contents"]} == {body["id"]}

    async def test_locations_and_placed_services_that_changed_since_a_time(self, facilities):
        await offered(facilities, item_event())
        before = now()
        changed = {"modified_after": before.isoformat()}
        assert (await get(facilities, "locations", **changed))["empty"]
        assert (await get(facilities, "service_at_locations", **changed))["empty"]
        body = await recorded(facilities, name="新设的服务站")
        found = await get(facilities, "locations", **changed)
        assert [one["id"] for one in found["contents"]] == [body["id"]]

    async def test_by_the_taxonomy(self, facilities):
        await offered(facilities, item_event())
        [taxonomy] = (await get(facilities, "taxonomies"))["contents"]
        assert (await get(facilities, "services", taxonomy_id=taxonomy["id"]))["total_items"] == 1
        unknown = await facilities.client.get(f"/hsds/services?taxonomy_id={uuid4()}")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "hsds-not-found")

    async def test_fully_nested(self, facilities):
        await offered(facilities, item_event(fee=FEE))
        [one] = (await get(facilities, "services", full=True))["contents"]
        [placed] = (await get(facilities, "service_at_locations", full=True))["contents"]
        assert faults("service_at_location", placed) == []
        assert placed["service"] == one
        (plain,) = (await get(facilities, "service_at_locations"))["contents"]
        assert "cost_options" not in plain["service"]
        identifier = one["organization_id"]
        for read in (
            await get(facilities, f"organizations/{identifier}", full_service=True),
            *(await get(facilities, "organizations", full_service=True))["contents"],
            *(await get(facilities, "organizations", full=True))["contents"],
        ):
            assert faults("organization", read) == []
            assert read["services"] == ([one] if read["id"] == identifier else [])
        read = await get(facilities, f"organizations/{identifier}")
        assert faults("organization", read) == []
        assert [each["id"] for each in read["services"]] == [one["id"]]
        assert "cost_options" not in read["services"][0]
        plain = (await get(facilities, "organizations"))["contents"]
        assert not any("services" in each for each in plain)

    async def test_everything_as_lines(self, facilities):
        events = [item_event(item_code=f"provisional:item-{n}") for n in range(3)]
        await offered(facilities, *events)
        for path in PATHS:
            whole = (await get(facilities, path, per_page=100))["contents"]
            answer = await facilities.client.get(f"/hsds/{path}?format=ndjson&per_page=1")
            assert answer.headers["content-type"] == "application/x-ndjson"
            assert [json.loads(line) for line in answer.text.splitlines()] == whole
        refused = await facilities.client.get("/hsds/services?format=xml")
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "/format")

    async def test_terms_have_one_level(self, facilities):
        every = await get(facilities, "taxonomy_terms", per_page=100)
        assert await get(facilities, "taxonomy_terms", per_page=100, top_only=True) == every
        term = every["contents"][0]
        assert (await get(facilities, "taxonomy_terms", parent_id=term["id"]))["empty"]
        same = {"taxonomy_id": term["taxonomy_id"], "per_page": 100}
        assert await get(facilities, "taxonomy_terms", **same) == every
        for name in ("parent_id", "taxonomy_id"):
            answer = await facilities.client.get(f"/hsds/taxonomy_terms?{name}={uuid4()}")
            assert (answer.status_code, answer.json()["code"]) == (404, "hsds-not-found")
        assert (await get(facilities, "taxonomies", search="没有这样的"))["empty"]

    @pytest.mark.parametrize("name", ["postcode", "proximity"])
    async def test_what_needs_postcodes_is_refused_and_not_passed_over(self, facilities, name):
        answer = await facilities.client.get(f"/hsds/service_at_locations?{name}=044000")
        assert (answer.status_code, answer.json()["code"]) == (400, "parameter-not-offered")


class TestRules:
    def test_an_organisation_names_its_division(self):
        assert rules.division_of(rules.organization_id(CITY)) == CITY
        assert rules.division_of(uuid4()) is None

    def test_costs_are_words_and_no_guess(self):
        assert rules.costs(None) == []
        assert rules.costs({"charged": False}) == [("不收费", 0.0, "不收费")]
        assert rules.costs(FEE) == [("工本费", None, "每证 10 元")]


class TestShapes:
    """The check can fail."""

    @pytest.mark.skipif(SCHEMAS not in os.environ, reason="the published schemas are not ours")
    def test_the_table_says_what_is_published(self):
        assert contradictions() == []

    def test_each_kind_of_faulty_page_is_told(self):
        page = {
            "total_items": 0, "total_pages": 1, "page_number": 1, "size": 1, "first_page": True,
            "last_page": False, "empty": False, "contents": [{"id": str(uuid4()), "name": "x"}],
        }  # fmt: skip
        told = " ".join(page_faults("service", page))
        assert "last_page" in told
        assert "total_items" in told
        assert "service.status: missing" in told
        assert page_faults("service", {"contents": [], "items": []})

    def test_formats_are_looked_at(self):
        schedule = {"id": str(uuid4()), "opens_at": "8:30", "byday": "MO;TU", "until": "20261231"}
        told = " ".join(faults("schedule", schedule))
        assert all(name in told for name in ("opens_at", "byday", "until"))

    def test_each_kind_of_fault_is_told(self):
        found = {"id": "x", "status": "open", "nickname": "", "last_modified": "yesterday"}
        told = " ".join(faults("service", found))
        for words in (
            "service.id",
            "service.name: missing",
            "not in the standard",
            "status",
            "last",
        ):
            assert words in told
