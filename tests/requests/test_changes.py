"""Feeds: everything once and in order, nothing behind the reader, and progress as it happens."""

import json
from uuid import UUID

import pytest
from sqlalchemy import text

from services.requests.changes.service import follow
from tests.requests.cases import HANDLER, HEALTH
from tests.requests.factories import OTHER_COUNTY_VILLAGE, key, make_request
from tests.support.tokens import bearer, resident

county = bearer("supervisor", division="140802000000")


async def changes(service, who, after=None, limit=100):
    query = f"limit={limit}" + (f"&after={after}" if after else "")
    answer = await service.client.get(f"/v1/changes?{query}", headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestFeed:
    async def test_in_order_resumable_and_only_one_s_own(self, case):
        service = case.service
        await service.client.post(
            "/v1/requests",
            json=make_request(division_code=OTHER_COUNTY_VILLAGE),
            headers=resident() | key(),
        )
        await case.done(case.clerk, "accept")
        seen, after = [], None
        while True:
            page = await changes(service, county, after, limit=1)
            seen += [(each["case_id"], each["action"]) for each in page["items"]]
            after = page["next"]
            if not page["has_more"]:
                break
        assert seen == [(case.id, "submit"), (case.id, "accept")]
        assert (await changes(service, county, after))["items"] == []
        await case.done(case.handler, "review", opinion="材料属实")
        [more] = (await changes(service, county, after))["items"]
        assert more["action"] == "review"
        by_unit = bearer("handler", **HANDLER | {"division": "140821000000"})
        assert {each["case_id"] for each in (await changes(service, by_unit))["items"]} >= {case.id}
        other = bearer("handler", division="140883000000", unit=HEALTH)
        nothing = await changes(service, other)
        assert nothing["items"] == []
        assert nothing["next"]

    async def test_what_commits_late_is_not_missed(self, case):
        """A transaction that began earlier holds back what began and ended after it."""
        service = case.service
        start = (await changes(service, county))["next"]
        async with service.database.sessions() as slow:
            await slow.execute(text("SELECT pg_current_xact_id()"))
            await case.done(case.clerk, "accept")
            held = await changes(service, county, start)
            assert held["items"] == []
            await slow.rollback()
        [change] = (await changes(service, county, held["next"] or start))["items"]
        assert change["action"] == "accept"

    async def test_refusals(self, service):
        for who, status in ((resident(), 403), ({}, 401)):
            answer = await service.client.get("/v1/changes", headers=who)
            assert answer.status_code == status
        bad = await service.client.get("/v1/changes?after=nonsense", headers=county)
        assert (bad.status_code, bad.json()["code"]) == (400, "cursor-malformed")


class TestProgress:
    @pytest.fixture
    async def request_id(self, case) -> UUID:
        return (await case.row())["request_id"]

    async def test_a_resident_sees_what_happens_and_goes_on_after_a_break(self, case, request_id):
        stream = follow(case.service.database, request_id, after=None, seconds=30)
        assert (await anext(stream)).startswith(b"retry:")
        first = (await anext(stream)).decode()
        assert json.loads(first.split("data: ")[1])["action"] == "submit"
        await case.done(case.clerk, "accept")
        while (message := await anext(stream)).startswith(b":"):
            pass
        assert json.loads(message.decode().split("data: ")[1])["to_state"] == "accepted"
        last_id = first.split("id: ")[1].split("\n")[0]
        again = follow(case.service.database, request_id, after=last_id, seconds=30)
        await anext(again)
        assert b'"accept"' in await anext(again)

    async def test_only_one_s_own(self, case, request_id):
        path = f"/v1/requests/{request_id}/progress"
        for who, status in ((resident(), 403), (case.handler, 403), ({}, 401)):
            assert (await case.service.client.get(path, headers=who)).status_code == status
        bad = await case.service.client.get(
            path, headers=case.applicant | {"Last-Event-ID": "nonsense"}
        )
        assert bad.status_code == 400
