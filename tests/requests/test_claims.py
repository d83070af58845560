"""认领: what was handed in at a window comes into the account of whom it is about."""

import asyncio
import json
from datetime import date
from uuid import uuid4

import pytest

from services.requests.claims.rules import MOST_ATTEMPTS, WINDOW, Indexes, claimed_as
from services.requests.housekeeping import forget
from tests.requests.factories import PERSON, key
from tests.requests.test_parties import AGENT, clerk, submit
from tests.support import tokens
from tests.support.tokens import bearer, resident


class Receipt:
    """A receipt of the window, and who tries to claim it."""

    def __init__(self, service, body, lookup_code):
        self.service = service
        self.id, self.number = body["id"], body["number"]
        self.case = body["cases"][0]
        self.lookup_code = lookup_code

    def body(self, account_id, **changes):
        mobile = changes.pop("mobile", PERSON["mobile"])
        return {
            "number": self.number,
            "lookup_code": self.lookup_code,
            "identity_number": PERSON["identity_number"],
            "proof": tokens.proof(account_id, mobile),
        } | changes

    async def claim(self, account_id, *, headers=None, **changes):
        return await self.service.client.post(
            "/v1/requests/claims",
            json=self.body(account_id, **changes),
            headers=headers or resident(account_id),
        )

    async def refused(self, account_id, **changes):
        answer = await self.claim(account_id, **changes)
        return answer.status_code, answer.json()["code"]

    async def mine(self, account_id):
        listed = await self.service.client.get("/v1/requests", headers=resident(account_id))
        return [(one["number"], one["as_agent"]) for one in listed.json()["items"]]


@pytest.fixture
async def receipt(service):
    answer = (await submit(service, clerk(), channel="window", agent=AGENT)).json()
    return Receipt(service, answer, answer["lookup_code"])


def as_agent() -> dict[str, str]:
    return {name: str(AGENT[name]) for name in ("identity_number", "mobile")}


async def claimed_events(service):
    return [body for type_, body in await service.events() if "request-claimed" in type_]


class TestRules:
    def test_both_numbers_must_be_of_the_same_person(self):
        applicant, agent = Indexes(b"a", b"1"), Indexes(b"b", b"2")

        def role(identity, mobile, until=None, today=date(2026, 11, 22)):
            shown = Indexes(identity, mobile)
            return claimed_as(
                applicant, agent, until, of_applicant=shown, of_agent=shown, today=today
            )

        assert role(b"a", b"1") == "applicant"
        assert role(b"b", b"2") == "agent"
        assert role(b"a", b"2") is role(b"b", b"1") is role(b"c", b"1") is None
        assert role(b"b", b"2", until=date(2026, 11, 22)) == "agent"
        assert role(b"b", b"2", until=date(2026, 11, 21)) is None
        assert (
            claimed_as(
                applicant, None, None, of_applicant=agent, of_agent=agent, today=date(2026, 11, 22)
            )
            is None
        )


class TestClaim:
    async def test_the_applicant_gets_all_of_it(self, service, receipt):
        me = uuid4()
        answer = await receipt.claim(me)
        assert (answer.status_code, answer.json()) == (
            200,
            {"request_id": receipt.id, "number": receipt.number, "claimed_as": "applicant"},
        )
        assert await receipt.mine(me) == [(receipt.number, False)]
        whole = await service.client.get(f"/v1/requests/{receipt.id}", headers=resident(me))
        assert whole.json()["applicant_name"] == PERSON["name"]
        [event] = await claimed_events(service)
        assert (event["account_id"], event["claimed_as"]) == (str(me), "applicant")
        assert event["taken_in_by_staff"] is True
        assert event["cases"] == [
            {"case_id": receipt.case["id"], "case_number": receipt.case["number"]}
        ]
        for secret in (*PERSON.values(), receipt.lookup_code):
            assert secret not in json.dumps(event, ensure_ascii=False)
        case = receipt.case["id"]
        withdrawn = await service.client.post(
            f"/v1/cases/{case}/actions/withdraw",
            json={},
            headers=resident(me) | {"If-Match": '"1"'},
        )
        assert withdrawn.status_code == 200

    async def test_by_the_number_of_a_case_too(self, receipt):
        assert (await receipt.claim(uuid4(), number=receipt.case["number"])).status_code == 200

    async def test_the_agent_gets_it_as_one_and_the_applicant_as_well(self, service, receipt):
        agent, applicant = uuid4(), uuid4()
        answer = await receipt.claim(agent, **as_agent())
        assert answer.json()["claimed_as"] == "agent"
        assert await receipt.mine(agent) == [(receipt.number, True)]
        assert (await receipt.claim(applicant)).json()["claimed_as"] == "applicant"
        for who in (agent, applicant):
            read = await service.client.get(
                f"/v1/cases/{receipt.case['id']}", headers=resident(who)
            )
            assert "withdraw" in read.json()["possible_actions"]

    async def test_what_an_agent_handed_in_is_claimed_by_whom_it_is_for(self, service):
        agent, me = uuid4(), uuid4()
        body = (await submit(service, resident(agent), agent=AGENT)).json()
        receipt = Receipt(service, body, body["lookup_code"])
        assert (await receipt.claim(me)).status_code == 200
        assert await receipt.mine(me) == [(receipt.number, False)]
        assert await receipt.mine(agent) == [(receipt.number, True)]
        [event] = await claimed_events(service)
        assert event["taken_in_by_staff"] is False
        # Their own is no news.
        assert (await receipt.claim(agent, **as_agent())).status_code == 200
        assert len(await claimed_events(service)) == 1

    async def test_an_agent_whose_power_has_ended_claims_nothing(self, service, receipt):
        await service.fetch("UPDATE request_party SET valid_until = '2020-01-01' RETURNING id")
        assert await receipt.refused(uuid4(), **as_agent()) == (404, "claim-failed")

    async def test_repeated_it_changes_nothing(self, service, receipt):
        me = uuid4()
        first = await receipt.claim(me)
        again = await receipt.claim(me, number=receipt.case["number"])
        assert (again.status_code, again.json()) == (200, first.json())
        assert len(await claimed_events(service)) == 1
        assert await service.count("data_access") == 1
        headers = resident(uuid4()) | key()
        bodies = [
            await service.client.post("/v1/requests/claims", json=receipt.body(me), headers=headers)
            for _ in range(2)
        ]
        assert {answer.json()["code"] for answer in bodies} == {"proof-invalid"}

    async def test_two_at_once_and_one_has_it(self, service, receipt):
        answers = await asyncio.gather(*(receipt.claim(uuid4()) for _ in range(4)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [200, 409, 409, 409]
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"claimed-already"}
        assert len(await claimed_events(service)) == 1
        me = uuid4()
        same = await asyncio.gather(*(receipt.claim(me, **as_agent()) for _ in range(3)))
        assert {answer.status_code for answer in same} == {200}
        assert len(await claimed_events(service)) == 2

    async def test_the_person_reads_who_claimed_and_who_looked_before(self, service, receipt):
        handler = bearer("handler", unit=receipt.case["unit"]["code"], name="李经办")
        seen = await service.client.post(
            f"/v1/cases/{receipt.case['id']}/disclosures",
            json={"reason": "核对申请人身份"},
            headers=handler,
        )
        assert seen.status_code == 200
        me, agent = uuid4(), uuid4()
        await receipt.claim(agent, **as_agent())
        assert await self.accesses(service, agent) == []
        await receipt.claim(me)
        records = await self.accesses(service, me)
        assert [(one["viewer_name"], one["reason"]) for one in records] == [
            (None, "申请人认领"),
            (None, "代理人认领"),
            ("李经办", "核对申请人身份"),
        ]

    async def accesses(self, service, who):
        listed = await service.client.get("/v1/data-accesses", headers=resident(who))
        return listed.json()["items"]

    async def test_it_does_not_break_a_seal(self, service, receipt):
        before = await service.fetch("SELECT version, applicant_id FROM service_case")
        await receipt.claim(uuid4())
        assert await service.fetch("SELECT version, applicant_id FROM service_case") == before


class TestRefusals:
    @pytest.mark.parametrize(
        "change",
        [
            {"lookup_code": "2222-2222"},
            {"number": "140802-200101-000017"},
            {"identity_number": AGENT["identity_number"]},
            {"mobile": AGENT["mobile"]},
            {"identity_number": "140802196205180012"},
        ],
    )
    async def test_whatever_is_wrong_is_told_alike(self, service, receipt, change):
        me = uuid4()
        answer = await receipt.claim(me, **change)
        assert (answer.status_code, answer.json()["code"]) == (404, "claim-failed")
        assert (
            answer.json()["title"] == "编号、查询码、身份证号或登录手机号与申请不符，请核对后再试"
        )
        assert await receipt.mine(me) == []
        assert await claimed_events(service) == []
        assert await service.count("data_access") == 0

    async def test_others_proofs_and_no_proofs(self, service, receipt):
        me = uuid4()
        token = resident(me)["Authorization"].removeprefix("Bearer ")
        for proof in (
            tokens.proof(uuid4(), PERSON["mobile"]),
            tokens.proof(me, PERSON["mobile"], expires_in=-60),
            token,
            "nothing that was ever signed",
        ):
            assert await receipt.refused(me, proof=proof) == (422, "proof-invalid")
        assert await service.count("claim_attempt") == 0

    async def test_a_proof_opens_nothing(self, service, receipt):
        me = uuid4()
        headers = {"Authorization": f"Bearer {tokens.proof(me, PERSON['mobile'])}"}
        answer = await service.client.get("/v1/requests", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")

    async def test_residents_alone(self, receipt):
        me = uuid4()
        for headers, status, code in (
            ({"Accept": "*/*"}, 401, "unauthenticated"),
            (bearer("window-clerk", account_id=me), 403, "wrong-role"),
            (bearer("supervisor", account_id=me), 403, "wrong-role"),
        ):
            answer = await receipt.claim(me, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_bad_bodies(self, receipt):
        for change in ({"identity_number": "1"}, {"lookup_code": ""}, {"more": 1}):
            assert (await receipt.claim(uuid4(), **change)).status_code == 422

    async def housekeeping(self, service) -> None:
        async with service.database.transaction() as session:
            await forget(session)

    async def test_corrections_of_calendars_are_forgotten_once_they_are_long_followed(
        self, service
    ):
        for finished in (None, 10, 500):
            await service.fetch(
                "INSERT INTO calendar_correction (id, year, source, first_day, last_day, moved, "
                "recorded_at, finished_at) VALUES (gen_random_uuid(), 2020, '通知（测试）', "
                "'2020-01-01', '2020-01-02', 0, now(), now() - make_interval(days => $1)) "
                "RETURNING 1",
                finished,
            )
        await self.housekeeping(service)
        assert await service.count("calendar_correction") == 2

    async def test_guessing_ends_for_an_account(self, service, receipt):
        me = uuid4()
        for _ in range(MOST_ATTEMPTS):
            assert (await receipt.refused(me, lookup_code="2222-2222"))[0] == 404
        assert await receipt.refused(me) == (429, "claim-too-often")
        # Without the code nobody closes a request to others.
        assert (await receipt.claim(uuid4())).status_code == 200
        await self.housekeeping(service)
        assert await service.count("claim_attempt") == 1
        await service.fetch(
            "UPDATE claim_attempt SET counted_from = counted_from - $1::interval RETURNING 1",
            WINDOW,
        )
        await self.housekeeping(service)
        assert await service.count("claim_attempt") == 0
        assert await receipt.refused(me) == (409, "claimed-already")

    async def test_guessing_the_person_ends_for_a_request(self, receipt):
        for _ in range(MOST_ATTEMPTS):
            refused = await receipt.refused(uuid4(), identity_number="140802196205180012")
            assert refused == (404, "claim-failed")
        assert await receipt.refused(uuid4()) == (429, "claim-too-often")

    async def test_many_at_once_are_counted_all(self, service, receipt):
        me = uuid4()
        answers = await asyncio.gather(
            *(receipt.claim(me, lookup_code="2222-2222") for _ in range(MOST_ATTEMPTS + 3))
        )
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [404] * MOST_ATTEMPTS + [429] * 3
