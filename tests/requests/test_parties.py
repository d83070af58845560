"""Handing in for others: agents and organisations, the window, the village agent."""

import io
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pypdf import PdfReader

from contracts.values import division_covers
from tests.requests import factories
from tests.requests.factories import OTHER_COUNTY_VILLAGE, TOWNSHIP_WINDOW, key, make_request
from tests.requests.test_submissions import assert_nothing_written
from tests.support.tokens import bearer, resident

AGENT = {
    "name": "王小友",
    "identity_number": "110105198001010016",
    "mobile": "13700009060",
    "relation": "child",
    "authority": {"kind": "power-of-attorney", "on_paper": True},
}
ORGANISATION = {"name": "汕尾市供水总公司", "uscc": "12441500196720244t"}


async def submit(service, headers, **overrides):
    return await service.client.post(
        "/v1/requests", json=make_request(**overrides), headers=headers | key()
    )


def clerk(division="140802001000", **claims):
    return bearer("window-clerk", division=division, unit=TOWNSHIP_WINDOW, name="李窗口", **claims)


class TestAgents:
    async def test_an_agent_sees_and_acts_and_is_marked_as_one(self, service):
        me = uuid4()
        answer = await submit(service, resident(me), agent=AGENT)
        assert answer.status_code == 201
        receipt = answer.json()
        mine = (await service.client.get("/v1/requests", headers=resident(me))).json()["items"]
        assert [(entry["number"], entry["as_agent"]) for entry in mine] == [
            (receipt["number"], True)
        ]
        whole = await service.client.get(f"/v1/requests/{receipt['id']}", headers=resident(me))
        [party] = whole.json()["parties"]
        assert (party["role"], party["name"], party["relation"]) == ("agent", "王小友", "child")
        assert whole.json()["applicant_name"] == factories.PERSON["name"]
        case = receipt["cases"][0]["id"]
        withdrawn = await service.client.post(
            f"/v1/cases/{case}/actions/withdraw",
            json={},
            headers=resident(me) | {"If-Match": '"1"'},
        )
        assert withdrawn.status_code == 200

    async def test_parties_are_encrypted(self, service):
        await submit(service, resident(), agent=AGENT, organisation=ORGANISATION)
        rows = await service.fetch("SELECT p::text AS p FROM request_party p")
        assert len(rows) == 2
        for row in rows:
            for secret in (AGENT["name"], AGENT["identity_number"], AGENT["mobile"]):
                assert secret not in row["p"]
        assert any("12441500196720244T" in row["p"] for row in rows)

    async def test_an_agent_whose_power_has_ended_reads_but_does_not_act(self, service):
        me = uuid4()
        receipt = (await submit(service, resident(me), agent=AGENT)).json()
        await service.fetch(
            "UPDATE request_party SET valid_until = $1 RETURNING id", date(2020, 1, 1)
        )
        case = receipt["cases"][0]["id"]
        read = await service.client.get(f"/v1/cases/{case}", headers=resident(me))
        assert read.status_code == 200
        assert read.json()["possible_actions"] == []
        withdrawn = await service.client.post(
            f"/v1/cases/{case}/actions/withdraw",
            json={},
            headers=resident(me) | {"If-Match": '"1"'},
        )
        assert (withdrawn.status_code, withdrawn.json()["code"]) == (403, "wrong-person")

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"identity_number": factories.PERSON["identity_number"]}, "/agent/identity_number"),
            ({"authority": {"kind": "power-of-attorney"}}, "/agent/authority"),
            (
                {"authority": {"kind": "legal-guardian", "valid_until": "2020-01-01"}},
                "/agent/authority/valid_until",
            ),
            ({"identity_number": "110105198001010019"}, "/agent/identity_number"),
            ({"relation": "neighbour"}, "/agent/relation"),
        ],
    )
    async def test_bad_agents(self, service, change, path):
        answer = await submit(service, resident(), agent=AGENT | change)
        assert answer.status_code == 422
        assert path in {error["path"] for error in answer.json()["errors"]}
        await assert_nothing_written(service)
        assert await service.count("request_party") == 0

    async def test_a_wrong_credit_code(self, service):
        organisation = ORGANISATION | {"uscc": "124415001967202440"}
        answer = await submit(service, resident(), organisation=organisation)
        assert [error["path"] for error in answer.json()["errors"]] == ["/organisation/uscc"]
        await assert_nothing_written(service)


class TestAtTheWindow:
    async def test_the_clerk_takes_in_and_is_named_in_the_history(self, service):
        me = uuid4()
        headers = clerk(account_id=me)
        answer = await submit(service, headers, channel="window", window_code="A3")
        assert answer.status_code == 201
        [row] = await service.fetch(
            "SELECT r.applicant_id, r.submitted_by, r.window_code, h.actor_id, h.actor_name, "
            "h.actor_unit FROM citizen_request r, case_history h"
        )
        assert (row["submitted_by"], row["actor_id"], row["actor_name"]) == (me, me, "李窗口")
        assert row["actor_unit"] == TOWNSHIP_WINDOW
        assert row["applicant_id"] not in (me, None)
        [(_, event)] = await service.events()
        assert event["window_code"] == "A3"
        assert event["applicant_id"] == str(row["applicant_id"])
        assert UUID(event["applicant_id"]).version == 8

    async def test_the_same_person_is_known_again(self, service):
        for _ in range(2):
            await submit(service, clerk(), channel="window")
        rows = await service.fetch("SELECT DISTINCT applicant_id FROM citizen_request")
        assert len(rows) == 1

    async def test_only_by_channels_of_their_own(self, service):
        for headers, channel in (
            (clerk(), "mini-program"),
            (resident(), "window"),
            (bearer("village-agent", division=factories.VILLAGE), "portal"),
        ):
            answer = await submit(service, headers, channel=channel)
            assert answer.json()["errors"][0]["path"] == "/channel"
        await assert_nothing_written(service)

    async def test_only_for_their_own_division(self, service):
        headers = clerk()
        assert not division_covers("140802001000", OTHER_COUNTY_VILLAGE)
        answer = await submit(
            service, headers, channel="window", division_code=OTHER_COUNTY_VILLAGE
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-division")
        await assert_nothing_written(service)


class TestReadRequest:
    async def read(self, service, receipt, headers):
        return await service.client.get(f"/v1/requests/{receipt['id']}", headers=headers)

    async def test_staff_see_as_much_as_their_role(self, service):
        receipt = (await submit(service, resident(), agent=AGENT)).json()
        seen = (await self.read(service, receipt, clerk())).json()
        assert seen["applicant_name"] == "*大友"
        assert seen["applicant_mobile"] == "137****9050"
        assert seen["lookup_code"] is None
        assert seen["parties"][0]["name"] == "*小友"
        hidden = (await self.read(service, receipt, bearer("auditor"))).json()
        assert set(hidden["applicant_name"] + hidden["applicant_identity_number"]) == {"*"}

    async def test_nobody_else(self, service):
        receipt = (await submit(service, resident())).json()
        for headers, status, code in (
            ({}, 401, "unauthenticated"),
            (resident(), 403, "wrong-person"),
            (bearer("editor"), 403, "wrong-role"),
            (bearer("window-clerk", division="140821000000"), 403, "wrong-division"),
            (
                bearer("handler", division="140821000000", unit="140821000000:civil-affairs"),
                403,
                "wrong-division",
            ),
        ):
            answer = await self.read(service, receipt, headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        of_the_unit = bearer(
            "handler", division="140821000000", unit=receipt["cases"][0]["unit"]["code"]
        )
        assert (await self.read(service, receipt, of_the_unit)).status_code == 200
        missing = await self.read(service, {"id": uuid4()}, clerk())
        assert (missing.status_code, missing.json()["code"]) == (404, "request-not-found")


def words_of(pdf: bytes) -> str:
    reader = PdfReader(io.BytesIO(pdf))
    return "".join(page.extract_text() for page in reader.pages).replace("\n", "")


class TestReceipt:
    async def test_names_what_came_and_what_is_missing(self, service):
        me = uuid4()
        entry = {
            "item_code": factories.ITEM_CODE,
            "answers": factories.ANSWERS,
            "materials": [{"code": "photo"}],
        }
        receipt = (await submit(service, resident(me), items=[entry])).json()
        path = f"/v1/requests/{receipt['id']}/receipt.pdf"
        own = await service.client.get(path, headers=resident(me))
        assert own.headers["content-type"] == "application/pdf"
        words = words_of(own.content)
        for part in (
            receipt["number"],
            receipt["lookup_code"],
            "王大友",
            "困难残疾人生活补贴",
            "盐湖区民政局",
            "照片纸质已收",
            "残疾人证未交",
        ):
            assert part in words
        again = await service.client.get(path, headers=resident(me))
        assert again.content == own.content
        staff = words_of((await service.client.get(path, headers=clerk())).content)
        assert "*大友" in staff
        assert receipt["lookup_code"] not in staff
        assert (await service.client.get(path, headers=resident())).status_code == 403


class TestLookUp:
    async def look_up(self, service, number, code):
        body = {"number": number, "lookup_code": code}
        return await service.client.post("/v1/lookups", json=body)

    async def test_number_and_code_show_progress_and_nothing_of_the_person(self, service):
        me = uuid4()
        receipt = (await submit(service, resident(me))).json()
        for code in (receipt["lookup_code"], receipt["lookup_code"].replace("-", "").lower()):
            answer = await self.look_up(service, receipt["number"], code)
            assert answer.status_code == 200
        [case] = answer.json()["cases"]
        assert (case["state"], case["item_name"]) == ("received", "困难残疾人生活补贴")
        for secret in (*factories.PERSON.values(), str(me), receipt["id"]):
            assert secret not in answer.text

    async def test_a_wrong_code_and_a_wrong_number_are_told_alike(self, service):
        first, second = [(await submit(service, resident())).json() for _ in range(2)]
        answers = [
            await self.look_up(service, first["number"], second["lookup_code"]),
            await self.look_up(service, "140802-200101-000017", first["lookup_code"]),
            await self.look_up(service, first["number"], "错误的查询码"),
        ]
        bodies = [answer.json() | {"instance": None} for answer in answers]
        assert {answer.status_code for answer in answers} == {404}
        assert all(body == bodies[0] for body in bodies)

    async def test_the_code_is_stored_nowhere_and_given_again_to_a_repeat(self, service):
        headers = resident() | key()
        first = await service.client.post("/v1/requests", json=make_request(), headers=headers)
        again = await service.client.post("/v1/requests", json=make_request(), headers=headers)
        assert again.content == first.content
        code = first.json()["lookup_code"].encode()
        [row] = await service.fetch("SELECT body FROM idempotency_key")
        assert code not in row["body"]


class TestDuplicates:
    async def test_the_receipt_hints_and_a_repeat_hints_the_same(self, service):
        me = uuid4()
        first = (await submit(service, resident(me))).json()
        assert first["possible_duplicates"] == []
        headers = resident(me) | key()
        second = await service.client.post("/v1/requests", json=make_request(), headers=headers)
        [hint] = second.json()["possible_duplicates"]
        assert (hint["number"], hint["item_name"]) == (first["number"], "困难残疾人生活补贴")
        again = await service.client.post("/v1/requests", json=make_request(), headers=headers)
        assert again.content == second.content

    async def test_a_stranger_learns_nothing_by_anothers_identity_number(self, service):
        await submit(service, resident())
        assert (await submit(service, resident())).json()["possible_duplicates"] == []

    async def test_the_window_is_told_of_the_person(self, service):
        first = (await submit(service, resident())).json()
        second = (await submit(service, clerk(), channel="window")).json()
        assert [hint["number"] for hint in second["possible_duplicates"]] == [first["number"]]

    async def test_asked_before(self, service):
        me = uuid4()
        receipt = (await submit(service, resident(me))).json()
        query = {"item_codes": [factories.ITEM_CODE]}
        person = query | {"identity_number": factories.PERSON["identity_number"]}

        async def ask(headers, body):
            return await service.client.post("/v1/requests/duplicates", json=body, headers=headers)

        assert [hint["number"] for hint in (await ask(resident(me), query)).json()["items"]] == [
            receipt["number"]
        ]
        assert [hint["number"] for hint in (await ask(clerk(), person)).json()["items"]] == [
            receipt["number"]
        ]
        assert (await ask(resident(), person)).json()["items"] == []
        assert (await ask(clerk(), query)).json()["code"] == "person-required"
        assert (await ask(bearer("handler"), person)).json()["code"] == "wrong-role"


DRAFT = {"item_codes": [factories.ITEM_CODE], "body": {"applicant": {"name": "王大友"}}}


class TestDrafts:
    async def create(self, service, me):
        answer = await service.client.post("/v1/drafts", json=DRAFT, headers=resident(me))
        assert answer.status_code == 201
        return answer.json()

    async def test_kept_encrypted_changed_and_handed_in(self, service):
        me = uuid4()
        draft = await self.create(service, me)
        [row] = await service.fetch("SELECT body FROM request_draft")
        assert "王大友" not in row["body"]
        path = f"/v1/drafts/{draft['id']}"
        changed = await service.client.put(
            path, json=DRAFT | {"body": {"a": 1}}, headers=resident(me) | {"If-Match": '"1"'}
        )
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        stale = await service.client.put(
            path, json=DRAFT, headers=resident(me) | {"If-Match": '"1"'}
        )
        assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
        assert (await service.client.get(path, headers=resident(me))).json()["body"] == {"a": 1}
        answer = await submit(service, resident(me), draft_id=draft["id"])
        assert answer.status_code == 201
        assert (await service.client.get(path, headers=resident(me))).status_code == 404

    async def test_a_refused_submission_keeps_the_draft(self, service):
        me = uuid4()
        draft = await self.create(service, me)
        await submit(service, resident(me), draft_id=draft["id"], division_code="140802001999")
        assert await service.count("request_draft") == 1

    async def test_nobody_elses(self, service):
        me, other = uuid4(), uuid4()
        draft = await self.create(service, me)
        path = f"/v1/drafts/{draft['id']}"
        for call in (
            service.client.get(path, headers=resident(other)),
            service.client.delete(path, headers=resident(other)),
            service.client.put(path, json=DRAFT, headers=resident(other) | {"If-Match": '"1"'}),
        ):
            assert (await call).json()["code"] == "draft-not-found"
        assert (await service.client.get(path, headers=bearer("window-clerk"))).status_code == 403
        await submit(service, resident(other), draft_id=draft["id"])
        assert await service.count("request_draft") == 1
        listed = await service.client.get("/v1/drafts", headers=resident(other))
        assert listed.json()["items"] == []
        assert (await service.client.delete(path, headers=resident(me))).status_code == 204
        assert await service.count("request_draft") == 0

    async def test_its_time_ends(self, service):
        from services.requests.drafts.service import expire

        me = uuid4()
        draft = await self.create(service, me)
        async with service.database.transaction() as session:
            await expire(session, UUID(draft["id"]))
        assert await service.count("request_draft") == 1  # not yet
        past = datetime.now(UTC) - timedelta(minutes=1)
        await service.fetch("UPDATE request_draft SET expires_at = $1 RETURNING id", past)
        read = await service.client.get(f"/v1/drafts/{draft['id']}", headers=resident(me))
        assert read.json()["code"] == "draft-not-found"
        async with service.database.transaction() as session:
            await expire(session, UUID(draft["id"]))
        assert await service.count("request_draft") == 0
