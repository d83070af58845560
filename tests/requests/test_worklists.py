"""Work lists: everything once, by index; counts that equal a recount; many steps in one go."""

import asyncio
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.requests.cases.rules import OPEN
from services.requests.models import CaseState
from services.requests.worklists.repository import fold_deltas
from services.requests.worklists.rules import Place, Turn, shares_of, turns_of
from tests.requests.cases import CLERK, HANDLER, HEALTH, Case
from tests.requests.counts import KEPT, RECOUNT
from tests.requests.factories import COUNTY_UNIT, OTHER_COUNTY_VILLAGE, VILLAGE, key, make_request
from tests.support.tokens import bearer, resident


async def submitted(service, count=1, division=VILLAGE) -> list[Case]:
    cases = []
    for _ in range(count):
        me = uuid4()
        answer = await service.client.post(
            "/v1/requests", json=make_request(division_code=division), headers=resident(me) | key()
        )
        cases.append(Case(service, me, answer.json()))
    return cases


async def listed(service, who, query="", status=200):
    answer = await service.client.get(f"/v1/cases?{query}", headers=who)
    assert answer.status_code == status, answer.text
    return answer.json()


async def ids(service, who, query=""):
    return {row["id"] for row in (await listed(service, who, query))["items"]}


class TestLists:
    async def test_filters(self, service):
        first, second, third = await submitted(service, 3)
        [far] = await submitted(service, 1, OTHER_COUNTY_VILLAGE)
        handler, clerk = first.handler, first.clerk
        county = bearer("supervisor", division="140802000000")
        city = bearer("supervisor", division="140800000000")
        village = bearer("window-clerk", division=VILLAGE)
        await first.done(handler, "claim")
        await second.done(clerk, "accept")
        await service.fetch("UPDATE service_case SET light = 'red' WHERE id = $1", second.id)
        three = {first.id, second.id, third.id}
        assert await ids(service, handler) == three
        assert await ids(service, village) == await ids(service, county) == three
        assert await ids(service, city) == three | {far.id}
        assert await ids(service, city, "division=140821000000") == {far.id}
        assert await ids(service, handler, "holder=me") == {first.id}
        assert await ids(service, handler, "holder=nobody") == {second.id, third.id}
        assert await ids(service, county, f"holder={uuid4()}") == set()
        assert await ids(service, handler, "state=accepted&light=red") == {second.id}
        assert await ids(service, county, f"unit={COUNTY_UNIT}") == three
        assert await ids(service, county, "due_to=2020-01-01") == set()
        assert await ids(service, county, "due_from=2020-01-01") == three
        await listed(service, handler, f"unit={HEALTH}", status=403)
        await listed(service, county, "division=140821000000", status=403)
        await listed(service, county, "colour=red", status=422)
        await listed(service, county, "after=nonsense", status=400)
        await listed(service, resident(), status=403)

    async def test_whose_turn_it_is(self, service):
        fresh, accepted, correcting, lost, village, done = await submitted(service, 6)
        for case in (accepted, done):
            await case.done(case.clerk, "accept")
        await done.done(done.applicant, "withdraw")
        await correcting.done(correcting.clerk, "request-correction", missing=["照片"])
        for case, unit in ((lost, None), (village, f"{VILLAGE}:committee")):
            await service.fetch(
                "UPDATE service_case SET unit_code = $1 WHERE id = $2 RETURNING 1", unit, case.id
            )
        county = bearer("supervisor", division="140802000000")
        expected = {
            "applicant": {correcting.id},
            "window-clerk": {fresh.id, lost.id, village.id},
            "village-agent": {village.id},
            "handler": {fresh.id, accepted.id},
            "supervisor": {lost.id},
        }
        for role, wanted in expected.items():
            assert await ids(service, county, f"role={role}") == wanted, role
        assert await ids(service, county, "role=handler&state=accepted") == {accepted.id}
        assert await ids(service, fresh.handler, "role=window-clerk") == {fresh.id}
        await listed(service, county, "role=auditor", status=422)

    @given(st.sampled_from(CaseState), st.sampled_from(Place))
    def test_every_open_case_is_somebody_s_turn(self, state, place):
        turns = turns_of(state, place)
        assert bool(turns) == (state in OPEN)
        for turn in Turn:
            states = [share.states for share in shares_of(turn) if share.place is place]
            assert (turn in turns) == any(state in each for each in states)

    async def test_what_waits_for_my_opinion(self, service):
        [case] = await submitted(service)
        await case.done(case.clerk, "accept")
        await case.done(case.handler, "consult", unit_codes=[HEALTH], question="请出具意见")
        health = bearer("handler", division="140802000000", unit=HEALTH)
        assert await ids(service, health) == set()
        assert await ids(service, health, "wanted=opinion") == {case.id}
        await case.done(health, "give-opinion", agrees=True, opinion="同意")
        assert await ids(service, health, "wanted=opinion") == set()

    async def test_pages_hold_everything_once_with_undated_cases_last(self, service):
        cases = await submitted(service, 7)
        for case in cases[:3]:
            await service.fetch("UPDATE service_case SET due_on = NULL WHERE id = $1", case.id)
        seen: list = []
        after: str | None = ""
        while after is not None:
            page = await listed(service, cases[0].handler, f"limit=2{after}")
            seen += page["items"]
            after = f"&after={page['next']}" if page["next"] else None
        assert {row["id"] for row in seen} == {case.id for case in cases}
        assert len(seen) == 7
        assert [row["due_on"] is None for row in seen] == [False] * 4 + [True] * 3


class TestCounts:
    async def assert_equal_to_a_recount(self, service):
        kept = [dict(row) for row in await service.fetch(KEPT)]
        assert kept == [dict(row) for row in await service.fetch(RECOUNT)]

    async def fold(self, service):
        async with service.database.transaction() as session:
            return await fold_deltas(session, 1000)

    async def test_kept_with_every_change_and_equal_to_a_recount(self, service):
        first, second, third = await submitted(service, 3)
        await self.assert_equal_to_a_recount(service)
        assert await self.fold(service) > 0
        await first.done(first.clerk, "accept")
        await first.done(
            first.handler, "pause", procedure="hearing", reason="依法听证", expected_days=3
        )
        await second.done(second.applicant, "withdraw")
        await third.done(third.handler, "send-back", reason="不归我们办")
        await service.fetch("UPDATE service_case SET light = 'yellow' WHERE id = $1", first.id)
        await self.assert_equal_to_a_recount(service)
        await asyncio.gather(self.fold(service), self.fold(service), submitted(service, 2))
        await self.fold(service)
        await self.assert_equal_to_a_recount(service)
        assert await service.count("work_delta") == 0

    async def test_told_by_unit_township_and_village(self, service):
        cases = await submitted(service, 3)
        await service.fetch("UPDATE service_case SET light = 'red' WHERE id = $1", cases[0].id)
        await submitted(service, 1, OTHER_COUNTY_VILLAGE)
        for who, total in (
            (bearer("handler", **HANDLER), 3),
            (bearer("window-clerk", **CLERK), 3),
            (bearer("window-clerk", division=VILLAGE), 3),
            (bearer("supervisor", division="140800000000"), 4),
            (bearer("window-clerk", division="140802001002"), 0),
        ):
            answer = await service.client.get("/v1/work-lists/counts", headers=who)
            counts = answer.json()
            assert counts["total"] == total, counts
            assert counts["by_light"]["red"] == min(total, 1)
            assert sum(counts["by_light"].values()) == sum(counts["by_state"].values()) == total
        refused = await service.client.get("/v1/work-lists/counts", headers=resident())
        assert refused.status_code == 403


class TestFilters:
    BODY: ClassVar[dict[str, Any]] = {"name": "红灯", "filter": {"light": "red", "holder": "me"}}

    async def test_kept_replaced_and_deleted_by_their_owner_alone(self, service):
        client, me = service.client, bearer("handler", **HANDLER)
        saved = await client.post("/v1/work-lists/filters", json=self.BODY, headers=me)
        assert saved.status_code == 201
        changed = {**self.BODY, "filter": {"light": "yellow"}}
        again = await client.post("/v1/work-lists/filters", json=changed, headers=me)
        assert again.json()["id"] == saved.json()["id"]
        listed = (await client.get("/v1/work-lists/filters", headers=me)).json()
        assert [each["filter"]["light"] for each in listed] == ["yellow"]
        path = f"/v1/work-lists/filters/{saved.json()['id']}"
        other = bearer("handler", **HANDLER)
        assert (await client.delete(path, headers=other)).status_code == 404
        assert (await client.delete(path, headers=me)).status_code == 204
        assert await service.count("work_filter") == 0

    @pytest.mark.parametrize(
        ("who", "body", "status"),
        [
            (resident(), BODY, 403),
            (bearer("handler", **HANDLER), {"name": "", "filter": {}}, 422),
            (bearer("handler", **HANDLER), {"name": "错", "filter": {"light": "blue"}}, 422),
        ],
    )
    async def test_refusals_keep_nothing(self, service, who, body, status):
        answer = await service.client.post("/v1/work-lists/filters", json=body, headers=who)
        assert answer.status_code == status
        assert await service.count("work_filter") == 0


class TestBulk:
    async def many(self, service, who, cases, action="claim", **body):
        return await service.client.post(
            "/v1/work-lists/actions",
            json={
                "action": action,
                "body": body,
                "cases": [{"id": case.id, "version": case.version} for case in cases],
            },
            headers=who,
        )

    async def test_each_case_for_itself(self, service):
        first, second, third = await submitted(service, 3)
        [far] = await submitted(service, 1, OTHER_COUNTY_VILLAGE)
        await second.done(second.handler, "claim")
        third.version = 7
        answer = await self.many(service, first.handler, [first, second, third, far])
        result = answer.json()
        assert result["succeeded"] == 1
        assert [(one["status"], one["code"]) for one in result["outcomes"]] == [
            (200, None), (409, "taken-already"), (409, "stale-version"), (403, "wrong-unit"),
        ]  # fmt: skip
        assert result["outcomes"][0]["version"] == 2
        assert len(await service.fetch("SELECT 1 FROM case_history WHERE action = 'claim'")) == 2

    async def test_a_step_with_a_body_and_one_that_must_be_taken_alone(self, service):
        cases = await submitted(service, 2)
        county = cases[0].supervisor
        sent = await self.many(service, county, cases, "dispatch", unit_code=HEALTH)
        assert sent.json()["succeeded"] == 2
        alone = await self.many(service, cases[0].handler, cases, "decide", granted=True)
        assert alone.json()["code"] == "not-in-bulk"
        bad = await self.many(service, county, cases, "dispatch", unit_code="nowhere")
        assert (bad.status_code, bad.json()["code"]) == (422, "invalid-request")
        assert (await self.many(service, resident(), cases)).status_code == 403
        assert (await self.many(service, county, [])).status_code == 422

    async def test_two_bulks_over_the_same_cases_share_them_out(self, service):
        cases = await submitted(service, 4)
        one, two = bearer("handler", **HANDLER), bearer("handler", **HANDLER)
        answers = await asyncio.gather(
            self.many(service, one, cases), self.many(service, two, cases[::-1])
        )
        assert sum(answer.json()["succeeded"] for answer in answers) == 4

    async def test_colleagues_are_those_seen_at_work(self, service):
        [case] = await submitted(service)
        await case.done(case.handler, "claim")
        answer = await service.client.get("/v1/work-lists/colleagues", headers=case.handler)
        assert [each["name"] for each in answer.json()] == ["李经办"]
        assert (
            await service.client.get("/v1/work-lists/colleagues", headers=resident())
        ).status_code == 403
