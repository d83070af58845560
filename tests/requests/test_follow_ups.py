"""容缺后补 and 告知承诺: what follows an acceptance, who is reminded, and when nothing is awaited."""

import asyncio
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from services.requests.cases.timers import follow_up_due, follow_up_near
from services.requests.reference.consumers import keep_item
from tests.requests.cases import HEALTH, Case
from tests.requests.conftest import deliver
from tests.requests.factories import ANSWERS, key, make_item, make_request
from tests.support.tokens import bearer, resident


class TestFollowUps:
    @pytest.fixture
    async def deferrable(self, service) -> Case:
        item = make_item(
            item_code="provisional:deferrable",
            name="可以容缺的事项",
            materials=[
                {"code": "photo", "name": "照片", "necessity": "deferrable"},
                {"code": "certificate", "name": "残疾人证", "necessity": "required"},
            ],
        )
        await deliver(service, keep_item, item)
        applicant_id = uuid4()
        answer = await service.client.post(
            "/v1/requests",
            json=make_request(items=[{"item_code": item.item_code, "answers": ANSWERS}]),
            headers=resident(applicant_id) | key(),
        )
        return Case(service, applicant_id, answer.json())

    PHOTO: ClassVar[dict[str, Any]] = {"material_code": "photo", "what": "照片", "days": 5}

    async def test_accepted_without_a_material_that_follows(self, deferrable):
        case = deferrable
        await case.done(case.clerk, "accept", deferred=[self.PHOTO])
        assert await case.refused(case.handler, "decide", granted=True) == (
            409,
            "materials-outstanding",
        )
        assert await case.refused(
            case.applicant, "hand-in", materials=[{"code": "certificate"}]
        ) == (422, "material-not-deferred")
        [follow_up] = await case.service.fetch("SELECT id, due_on FROM case_follow_up")
        await case.fire(follow_up_due, follow_up["id"])
        assert (await case.last_event())[1]["outcome"] == "late"
        case.version += 1
        await case.done(case.applicant, "hand-in", materials=[{"code": "photo"}])
        await case.fire(follow_up_due, follow_up["id"])
        assert (await case.row())["version"] == case.version
        await case.done(case.handler, "decide", granted=True)
        read = (await case.read(case.applicant)).json()
        assert [each["outcome"] for each in read["follow_ups"]] == ["late"]

    async def test_only_what_the_item_allows_may_follow(self, deferrable):
        body = {"deferred": [{"material_code": "certificate", "what": "残疾人证", "days": 5}]}
        assert await deferrable.refused(deferrable.clerk, "accept", **body) == (
            422,
            "material-not-deferrable",
        )
        assert await deferrable.service.count("case_follow_up") == 0

    COMMITMENT: ClassVar[dict[str, Any]] = {"what": "承诺家庭收入低于当地标准", "check_days": 30}
    CHECK: ClassVar[dict[str, Any]] = {"kept": True, "note": "入户核查属实"}

    async def promised(self, case) -> UUID:
        await case.done(case.clerk, "accept", commitment=self.COMMITMENT)
        [follow_up] = await case.service.fetch(
            "SELECT id FROM case_follow_up WHERE case_id = $1", case.id
        )
        return follow_up["id"]

    async def test_a_check_is_reminded_of_before_it_falls_due_and_ordered_after(self, case):
        follow_up = await self.promised(case)
        timers = await case.service.fetch(
            "SELECT kind, due_at FROM timer WHERE subject_id = $1 ORDER BY due_at", follow_up
        )
        assert [row["kind"] for row in timers] == ["follow-up-near", "follow-up-due"]
        await case.fire(follow_up_near, follow_up)
        kind, near = await case.last_event()
        assert (kind, near["kind"], near["overdue"]) == ("case-follow-up-due", "commitment", False)
        assert near["follow_up_id"] == str(follow_up)
        await case.fire(follow_up_due, follow_up)
        (_, passed), (_, order) = (await case.service.events())[-2:]
        assert (passed["overdue"], order["cause"], order["level"]) == (True, "commitment", 1)
        supervisor = await case.service.client.get(
            "/v1/supervision-orders", headers=case.supervisor
        )
        assert supervisor.json()["items"][0]["what"] == "承诺到期未核查：承诺家庭收入低于当地标准"

    async def test_nobody_is_reminded_of_what_was_checked(self, case):
        follow_up = await self.promised(case)
        await case.done(case.handler, "check-commitment", **self.CHECK)
        before = await case.service.events()
        for handler in (follow_up_near, follow_up_due):
            await case.fire(handler, follow_up)
        assert await case.service.events() == before

    async def test_a_check_and_its_last_moment_race(self, case):
        follow_up = await self.promised(case)
        answer, _ = await asyncio.gather(
            case.act(case.handler, "check-commitment", **self.CHECK),
            case.fire(follow_up_due, follow_up),
        )
        assert answer.status_code == 200
        told = [kind.rsplit(".", 2)[1] for kind, _ in await case.service.events()]
        if "supervision-ordered" in told:
            assert told.index("supervision-ordered") < told.index("case-follow-up-ended")

    async def test_nothing_is_awaited_of_what_was_withdrawn_or_made_void(self, deferrable, case):
        await deferrable.done(deferrable.clerk, "accept", deferred=[self.PHOTO])
        await deferrable.done(deferrable.applicant, "withdraw")
        await self.promised(case)
        await case.done(case.supervisor, "void", result_code=2, reason="业务上无效")
        before = await case.service.events()
        for each in await case.service.fetch("SELECT id FROM case_follow_up"):
            await case.fire(follow_up_near, each["id"])
            await case.fire(follow_up_due, each["id"])
        assert await case.service.events() == before
        assert await case.refused(case.handler, "check-commitment", **self.CHECK) == (409, "voided")
        listed = await case.service.client.get("/v1/work-lists/follow-ups", headers=case.supervisor)
        assert listed.json()["items"] == []

    async def test_the_list_of_what_is_awaited(self, case):
        await self.promised(case)
        await case.done(case.handler, "decide", granted=True)
        await case.done(case.handler, "complete", result_code=0)

        async def awaited(who, query=""):
            path = f"/v1/work-lists/follow-ups{query}"
            return await case.service.client.get(path, headers=who)

        [row] = (await awaited(case.handler)).json()["items"]
        assert (row["kind"], row["state"], row["light"]) == ("commitment", "completed", "green")
        assert row["case_id"] == case.id
        assert (await awaited(case.supervisor)).json()["items"] == [row]
        elsewhere = bearer("supervisor", division="140821000000")
        assert (await awaited(elsewhere)).json()["items"] == []
        other_unit = bearer("handler", division="140802000000", unit=HEALTH)
        assert (await awaited(other_unit)).json()["items"] == []
        for who, status in ((case.applicant, 403), ({"Accept": "*/*"}, 401)):
            assert (await awaited(who)).status_code == status
        assert (await awaited(case.handler, "?after=x")).status_code == 400
        await case.service.fetch("UPDATE case_follow_up SET due_on = '2020-01-01' RETURNING 1")
        assert (await awaited(case.handler)).json()["items"][0]["light"] == "red"
        await case.done(case.handler, "check-commitment", **self.CHECK)
        assert (await awaited(case.handler)).json()["items"] == []

    async def test_a_commitment_is_checked_once_even_after_completion(self, case):
        commitment = {"what": "承诺家庭收入低于当地标准", "check_days": 30}
        await case.done(case.clerk, "accept", commitment=commitment)
        await case.done(case.handler, "decide", granted=True)
        await case.done(case.handler, "complete", result_code=0)
        body = {"kept": False, "note": "入户核查收入不符"}
        assert (await case.refused(case.clerk, "check-commitment", **body))[0] == 403
        await case.done(case.handler, "check-commitment", **body)
        assert (await case.last_event())[1]["outcome"] == "broken"
        assert await case.refused(case.handler, "check-commitment", **body) == (
            409,
            "nothing-to-check",
        )
