"""Versions of the routing rules: drafted, checked, put into force, taken back; and the queue."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.requests.cases.timers import deem_accepted
from services.requests.routing.rule_sets import activate_scheduled
from tests.requests.cases import HEALTH
from tests.requests.factories import COUNTY_UNIT, ITEM_CODE, VILLAGE, key, make_request
from tests.support.tokens import bearer, resident

operator = bearer("operator", name="丁一")
TO_HEALTH = {
    "priority": 1,
    "name": "测试项转卫健",
    "match": {"item_codes": [ITEM_CODE]},
    "target": {"kind": "parallel", "lead": {"kind": "named-unit", "unit": HEALTH},
               "others": [{"kind": "named-unit", "unit": COUNTY_UNIT}]},
}  # fmt: skip
QUEUE = {"priority": 5, "name": "其余人工派单", "target": {"kind": "queue"}}
BODY = {"note": "试行第二版", "rules": [TO_HEALTH, QUEUE]}


@pytest.fixture
async def api(service):
    """The client; version 1 rules again afterwards, and later versions are gone."""
    yield service.client
    async with service.database.transaction() as session:
        await session.execute(text("DELETE FROM routing_rule_set WHERE version > 1"))
        await session.execute(text("UPDATE routing_rule_set SET state = 'active'"))
        await session.execute(text("UPDATE copy_revision SET revision = revision + 1"))
    await service.app.state.reference.refresh()


async def drafted(api, body=BODY) -> int:
    answer = await api.post("/v1/routing/rule-sets", json=body, headers=operator)
    assert answer.status_code == 201, answer.text
    version: int = answer.json()["version"]
    return version


async def activated(api, service, version, **body):
    answer = await api.post(
        f"/v1/routing/rule-sets/{version}/activations",
        json={"note": "生效"} | body,
        headers=operator,
    )
    await service.app.state.reference.refresh()
    return answer


async def explained(api, **more):
    body = {"item_code": ITEM_CODE, "division_code": VILLAGE} | more
    answer = await api.post("/v1/routing/explain", json=body, headers=operator)
    return answer.json()


class TestLifeOfAVersion:
    async def test_drafted_changed_checked_in_force_and_taken_back(self, api, service):
        version = await drafted(api)
        assert (await explained(api))["rule_set_version"] == 1
        assert (await explained(api, version=version))["unit"] == HEALTH
        path = f"/v1/routing/rule-sets/{version}"
        stale = await api.put(path, json=BODY, headers=operator | {"If-Match": '"7"'})
        assert stale.json()["code"] == "stale-version"
        changed = await api.put(path, json=BODY, headers=operator | {"If-Match": '"1"'})
        assert changed.headers["etag"] == '"2"'
        checked = (await api.post(f"{path}/checks", headers=operator)).json()
        assert (checked["conflict_count"], checked["unreachable_count"]) == (0, 0)
        assert checked["combinations"] > 0

        assert (await activated(api, service, version)).json()["state"] == "active"
        explanation = await explained(api)
        assert (explanation["unit"], explanation["parallel"]) == (HEALTH, [COUNTY_UNIT])
        late = await api.put(path, json=BODY, headers=operator | {"If-Match": '"2"'})
        assert late.json()["code"] == "not-a-draft"

        back = await api.post("/v1/routing/rollbacks", json={"note": "有误"}, headers=operator)
        assert back.json()["version"] == 1
        await service.app.state.reference.refresh()
        assert (await explained(api))["unit"] == COUNTY_UNIT
        told = (await api.get("/v1/routing/activations", headers=operator)).json()
        assert [(each["version"], each["replaced"]) for each in told] == [
            (1, version), (version, 1),
        ]  # fmt: skip
        listed = (await api.get("/v1/routing/rule-sets?limit=1", headers=operator)).json()
        assert listed["items"][0]["version"] == version
        assert listed["next"]

    async def test_what_nothing_covers_is_told_by_who_applies(self, api):
        people = QUEUE | {"name": "只管个人", "match": {"objects": ["individual"]}}
        version = await drafted(api, BODY | {"rules": [people]})
        path = f"/v1/routing/rule-sets/{version}/checks"
        checked = (await api.post(path, headers=operator)).json()
        assert checked["uncovered_count"] * 2 == checked["combinations"] > 0
        assert {each["object"] for each in checked["uncovered"]} == {"organisation"}

    async def test_in_force_at_its_time(self, api, service):
        version = await drafted(api)
        past = datetime.now(UTC) - timedelta(minutes=1)
        answer = await activated(api, service, version, at=past.isoformat())
        assert (answer.status_code, answer.json()["code"]) == (422, "time-is-past")
        soon = datetime.now(UTC) + timedelta(hours=1)
        answer = await activated(api, service, version, at=soon.isoformat())
        assert answer.json()["state"] == "scheduled"
        assert (await explained(api))["rule_set_version"] == 1
        for _ in range(2):
            async with service.database.transaction() as session:
                await activate_scheduled(session, UUID(int=version))
        await service.app.state.reference.refresh()
        assert (await explained(api))["rule_set_version"] == version
        assert await service.count("routing_activation") == 1

    async def test_conflicts_keep_it_out_of_force(self, api, service):
        other = TO_HEALTH | {"name": "同一件事派民政", "target": {"kind": "queue"}}
        version = await drafted(api, BODY | {"rules": [TO_HEALTH, other]})
        answer = await activated(api, service, version)
        assert (answer.status_code, answer.json()["code"]) == (409, "rules-conflict")
        assert answer.json()["conflicts"] == [{"rule": TO_HEALTH["name"], "other": other["name"]}]

    @pytest.mark.parametrize(
        ("who", "status"),
        [(resident(), 403), (bearer("supervisor"), 403), (bearer("window-clerk"), 403), ({}, 401)],
    )
    async def test_who_may_not(self, api, service, who, status):
        headers = who | {"If-Match": '"1"'}
        for method, path, body in (
            ("POST", "/v1/routing/rule-sets", BODY),
            ("PUT", "/v1/routing/rule-sets/1", BODY),
            ("POST", "/v1/routing/rule-sets/1/activations", {"note": "生效"}),
            ("POST", "/v1/routing/rollbacks", {"note": "退回"}),
        ):
            answer = await api.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, path
        assert await service.count("routing_rule_set") == 1

    @pytest.mark.parametrize(
        ("rules", "code"),
        [
            ([], "invalid-request"),
            ([QUEUE, QUEUE], "rule-names-repeated"),
            ([QUEUE | {"target": {"kind": "moon"}}], "invalid-request"),
            ([QUEUE | {"match": {"divisions": ["nowhere"]}}], "invalid-request"),
        ],
    )
    async def test_bad_rules_make_no_version(self, api, service, rules, code):
        answer = await api.post(
            "/v1/routing/rule-sets", json=BODY | {"rules": rules}, headers=operator
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert await service.count("routing_rule_set") == 1

    async def test_repeated_with_its_key_makes_one_version(self, api, service):
        headers = operator | key()
        for _ in range(2):
            answer = await api.post("/v1/routing/rule-sets", json=BODY, headers=headers)
            assert answer.status_code == 201
        assert await service.count("routing_rule_set") == 2
        missing = await api.post("/v1/routing/rule-sets/99/checks", headers=operator)
        assert missing.json()["code"] == "rule-set-not-found"
        nothing = await api.post("/v1/routing/rollbacks", json={"note": "退回"}, headers=operator)
        assert nothing.json()["code"] == "nothing-before"


class TestRoutedCases:
    async def test_parallel_units_are_asked_when_the_case_is_accepted(self, api, service):
        await activated(api, service, await drafted(api))
        me = resident(uuid4())
        receipt = (await api.post("/v1/requests", json=make_request(), headers=me | key())).json()
        case = receipt["cases"][0]
        assert case["unit"]["code"] == HEALTH
        path = f"/v1/cases/{case['id']}"
        health = bearer("handler", unit=HEALTH)
        accepted = await api.post(
            f"{path}/actions/accept", json={}, headers=health | {"If-Match": '"1"'}
        )
        assert accepted.status_code == 200
        opinions = (await api.get(path, headers=health)).json()["opinions"]
        assert [(each["unit_code"], each["unit_name"]) for each in opinions] == [
            (COUNTY_UNIT, "盐湖区民政局")
        ]
        routing = (await api.get(f"{path}/routing", headers=me)).json()
        assert routing["decision"]["rule"] == TO_HEALTH["name"]
        assert (await api.get(f"{path}/routing", headers=resident())).status_code == 403

    async def test_the_queue_is_worked_off_by_the_division_s_supervisor(self, api, service):
        await activated(api, service, await drafted(api, BODY | {"rules": [QUEUE]}))
        for _ in range(3):
            await api.post("/v1/requests", json=make_request(), headers=resident() | key())
        county = bearer("supervisor", division="140802000000")
        first = (await api.get("/v1/routing/queue?limit=2", headers=county)).json()
        rest = (
            await api.get(f"/v1/routing/queue?limit=2&after={first['next']}", headers=county)
        ).json()
        cases = first["items"] + rest["items"]
        assert len({case["id"] for case in cases}) == 3
        assert cases[0]["routing"]["rule"] == QUEUE["name"]
        sent = await api.post(
            f"/v1/cases/{cases[0]['id']}/actions/dispatch",
            json={"unit_code": HEALTH, "note": "按职责派单"},
            headers=county | {"If-Match": '"1"'},
        )
        assert sent.status_code == 200
        left = (await api.get("/v1/routing/queue", headers=county)).json()["items"]
        assert len(left) == 2
        async with service.database.transaction() as session:  # silence accepts one: it still waits
            await deem_accepted(session, UUID(left[0]["id"]))
        assert (await api.get("/v1/routing/queue", headers=county)).json()["items"][0]["id"] == (
            left[0]["id"]
        )
        routing = await api.get(f"/v1/cases/{cases[0]['id']}/routing", headers=county)
        assert routing.json()["changes"][0]["note"] == "按职责派单"
        elsewhere = bearer("supervisor", division="140821000000")
        assert (await api.get("/v1/routing/queue", headers=elsewhere)).json()["items"] == []
        clerk = await api.get("/v1/routing/queue", headers=bearer("window-clerk"))
        assert clerk.status_code == 403
