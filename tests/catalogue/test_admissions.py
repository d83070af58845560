"""Admission: the whole path, the county's total under a race, forbidden kinds, and its end."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.catalogue import AdmissionRecorded
from servicekit.outbox import now
from servicekit.timers import Timers
from services.catalogue.admissions.rules import FORBIDDEN_SENTENCE, a_year_after
from services.catalogue.admissions.timers import TIMERS
from services.catalogue.items.publishing import CHINA
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE
from tests.support.tokens import bearer, resident

TOWNSHIPS = ("140802001000", "140802100000")
UNKNOWN = "00000000-0000-7000-8000-000000000000"


def day(offset: int = 0) -> str:
    return str(now().astimezone(CHINA).date() + timedelta(days=offset))


def make_proposal(**overrides: Any) -> dict[str, Any]:
    proposal = {
        "kind": "form",
        "division_code": COUNTY,
        "item_id": None,
        "name": "残疾人信息年报表",
        "department": "civil-affairs",
        "nature": "public-service",
        "basis": {"document": "晋民发〔2023〕1号", "clause": "三", "until": None},
        "duties": "村里核对名单，不负责调查。",
        "procedure": None,
        "times_per_year": 1,
    }
    return proposal | overrides


def make_funds(**overrides: Any) -> dict[str, Any]:
    funds = {
        "cents_per_year": 500_000,
        "source": "县级财政预算",
        "until": day(400),
        "conditions": "每村配一台电脑",
        "training": "每年一次",
    }
    return funds | overrides


class Path:
    """The steps of the path, each by whoever usually takes it."""

    def __init__(self, catalogue) -> None:
        self.client = catalogue.client
        self.supervisor_id, self.admitter_id = uuid4(), uuid4()

    def supervisor(self, **claims: Any) -> dict[str, str]:
        known = {"division": COUNTY, "department": "civil-affairs"}
        return bearer("supervisor", account_id=self.supervisor_id, **(known | claims))

    def admitter(self, **claims: Any) -> dict[str, str]:
        known = {"account_id": self.admitter_id, "division": COUNTY, "name": "准入审批"}
        return bearer("county-admitter", **(known | claims))

    def officer(self, township: str) -> dict[str, str]:
        return bearer("township-officer", division=township, name="乡镇干部")

    async def propose(self, **overrides: Any) -> str:
        answer = await self.client.post(
            "/v1/admissions", json=make_proposal(**overrides), headers=self.supervisor()
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def tag(self, admission_id: str) -> dict[str, str]:
        answer = await self.client.get(f"/v1/admissions/{admission_id}", headers=self.admitter())
        return {"If-Match": answer.headers["etag"]}

    async def act(self, admission_id: str, action: str, **body: Any):
        who = self.supervisor() if action == "withdraw" else self.admitter()
        return await self.client.post(
            f"/v1/admissions/{admission_id}/actions/{action}",
            json=body,
            headers=who | await self.tag(admission_id),
        )

    async def fund(self, admission_id: str, **overrides: Any):
        return await self.client.put(
            f"/v1/admissions/{admission_id}/funds",
            json=make_funds(**overrides),
            headers=self.supervisor() | await self.tag(admission_id),
        )

    async def opine(self, admission_id: str, township: str, *, supports: bool = True):
        return await self.client.post(
            f"/v1/admissions/{admission_id}/opinions",
            json={"supports": supports, "words": "村里能承担" if supports else "人手不够"},
            headers=self.officer(township),
        )

    async def to_decide(self, **overrides: Any) -> str:
        admission_id = await self.propose(**overrides)
        steps = [
            await self.act(admission_id, "confirm-basis"),
            await self.fund(admission_id),
            await self.act(admission_id, "consult", townships=TOWNSHIPS, until=day(10)),
        ]
        steps += [await self.opine(admission_id, township) for township in TOWNSHIPS]
        assert [each.status_code for each in steps] == [200] * 5, [each.text for each in steps]
        assert steps[-1].json()["state"] == "deciding"
        return admission_id

    async def admit(self, admission_id: str, **overrides: Any):
        body = {
            "approval_number": "盐准入〔2026〕3号",
            "valid_from": day(),
            "valid_until": day(365),
        }
        return await self.act(admission_id, "admit", **(body | overrides))

    async def cap(self, most: int, kind: str = "form", **headers: str):
        return await self.client.put(
            f"/v1/admission-caps/{COUNTY}/{kind}",
            json={"most": most, "document": "盐村减负〔2026〕1号"},
            headers=self.admitter() | headers,
        )


@pytest.fixture
def path(catalogue) -> Path:
    return Path(catalogue)


async def told(catalogue) -> list[AdmissionRecorded]:
    return [
        AdmissionRecorded.model_validate(body)
        for kind, body in await catalogue.events()
        if kind == AdmissionRecorded.event_type
    ]


class TestPath:
    async def test_from_the_basis_to_the_public_list(self, catalogue, path, people):
        item_id = await people.publish()
        await path.cap(3, "item")
        admission_id = await path.to_decide(kind="item", item_id=item_id, times_per_year=None)
        assert await told(catalogue) == []
        admitted = await path.admit(admission_id)
        assert admitted.status_code == 200, admitted.text
        read = admitted.json()
        assert (read["state"], read["cases_in_twelve_months"]) == ("admitted", 0)
        assert read["review_on"] == str(a_year_after(date.fromisoformat(day())))
        assert [each["township"] for each in read["opinions"]] == list(TOWNSHIPS)
        [event] = await told(catalogue)
        assert (event.state, event.kind, str(event.item_id)) == ("admitted", "item", item_id)
        assert (event.division_code, event.approval_number) == (COUNTY, "盐准入〔2026〕3号")
        assert event.admission_key == f"admission:{admission_id}"
        assert event.version == read["version"]
        answer = await catalogue.client.get("/v1/village-lists/item", params={"division": VILLAGE})
        [entry] = answer.json()["items"]
        assert (entry["admission_id"], entry["basis"]) == (admission_id, "晋民发〔2023〕1号 三")
        params = {"division": VILLAGE, "on": day(-1)}
        before = await catalogue.client.get("/v1/village-lists/item", params=params)
        assert before.json()["items"] == []
        history = await catalogue.client.get(
            f"/v1/admissions/{admission_id}/history", headers=path.officer(TOWNSHIPS[0])
        )
        assert [each["action"] for each in history.json()["items"]][::-1] == [
            "propose", "confirm-basis", "state-funds", "consult", "give-opinion", "give-opinion",
            "admit",
        ]  # fmt: skip
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            await catalogue.fetch("UPDATE admission_history SET reason = 'x'")

    async def test_steps_have_their_order_and_their_fields(self, catalogue, path):
        admission_id = await path.propose()
        assert (await path.admit(admission_id)).json()["code"] == "admission-step-refused"
        assert (await path.fund(admission_id)).json()["code"] == "admission-step-refused"
        assert (await path.opine(admission_id, TOWNSHIPS[0])).status_code == 403
        assert (await path.act(admission_id, "confirm-basis")).status_code == 200
        bare = await path.act(admission_id, "consult")
        assert [each["path"] for each in bare.json()["errors"]] == ["/townships", "/until"]
        wrong = await path.act(
            admission_id, "consult", townships=[VILLAGE, "140821100000"], until=day(-1)
        )
        assert [each["type"] for each in wrong.json()["errors"]] == [
            "funds-missing",
            "township-unknown",
            "day-past",
        ]
        assert (await path.act(admission_id, "close-consultation")).status_code == 403
        refused = await path.act(admission_id, "refuse", reason="没有必要")
        assert refused.json()["state"] == "refused"
        assert (await path.fund(admission_id)).status_code == 409
        assert await told(catalogue) == []

    async def test_a_township_against_it_wants_an_answer(self, path):
        await path.cap(1)
        admission_id = await path.propose()
        await path.act(admission_id, "confirm-basis")
        await path.fund(admission_id)
        await path.act(admission_id, "consult", townships=TOWNSHIPS, until=day(3))
        await path.opine(admission_id, TOWNSHIPS[0], supports=False)
        await path.opine(admission_id, TOWNSHIPS[1])
        silent = await path.admit(admission_id)
        assert [each["type"] for each in silent.json()["errors"]] == ["opinion-unanswered"]
        assert (await path.admit(admission_id, reason="已增派人手")).status_code == 200

    async def test_the_period_needs_funds_and_sense(self, path):
        await path.cap(1)
        admission_id = await path.to_decide()
        answer = await path.admit(admission_id, valid_from=day(401), valid_until=day(401))
        assert {each["type"] for each in answer.json()["errors"]} == {
            "period-empty",
            "funds-missing",
        }

    async def test_nobody_admits_what_they_proposed(self, catalogue, path):
        await path.cap(1)
        admission_id = await path.to_decide()
        both = bearer(
            "county-admitter", "supervisor", account_id=path.supervisor_id, division=COUNTY
        )
        answer = await catalogue.client.post(
            f"/v1/admissions/{admission_id}/actions/admit",
            json={"approval_number": "x-1", "valid_from": day(), "valid_until": day(9)},
            headers=both | await path.tag(admission_id),
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "two-hands")


class TestForbidden:
    @pytest.mark.parametrize(
        "overrides",
        [
            {"nature": "law-enforcement"},
            {"nature": "demolition"},
            {"nature": "investment-promotion"},
            {"nature": "work-safety"},
            {"name": "协助拆违控违"},
            {"duties": "负责安全生产检查。"},
        ],
    )
    async def test_is_refused_with_the_sentence_of_the_policy(self, catalogue, path, overrides):
        answer = await catalogue.client.post(
            "/v1/admissions", json=make_proposal(**overrides), headers=path.supervisor()
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "forbidden-kind")
        assert answer.json()["detail"] == FORBIDDEN_SENTENCE
        assert await catalogue.count("admission") == 0

    async def test_also_an_item_that_villages_must_not_have(self, catalogue, path, people):
        item_id = await people.publish(
            forbidden_to_villages=True, accepts_at=["county"], agent_service=False,
            channels=["portal", "window"],
        )  # fmt: skip
        body = make_proposal(kind="item", item_id=item_id, times_per_year=None)
        answer = await catalogue.client.post("/v1/admissions", json=body, headers=path.supervisor())
        assert answer.json()["code"] == "forbidden-kind"


class TestTotal:
    async def test_a_race_never_passes_it(self, catalogue, path):
        await path.cap(2)
        ids = [await path.to_decide(name=f"表格{n}") for n in range(4)]
        tags = [await path.tag(each) for each in ids]
        body = {"approval_number": "盐准入〔2026〕9号", "valid_from": day(), "valid_until": day(9)}
        answers = await asyncio.gather(
            *(
                catalogue.client.post(
                    f"/v1/admissions/{each}/actions/admit", json=body, headers=path.admitter() | tag
                )
                for each, tag in zip(ids, tags, strict=True)
            )
        )
        assert sorted(each.status_code for each in answers) == [200, 200, 409, 409]
        assert {each.json()["code"] for each in answers if each.status_code == 409} == {
            "cap-reached"
        }
        assert len(await told(catalogue)) == 2
        caps = await catalogue.client.get("/v1/admission-caps", params={"division": VILLAGE})
        [cap] = caps.json()["items"]
        assert (cap["most"], cap["admitted"]) == (2, 2)
        assert (await path.cap(1)).json()["code"] == "stale-version"
        assert (await path.cap(1, **{"If-Match": '"1"'})).json()["code"] == "cap-below-use"
        assert (await path.cap(3, **{"If-Match": '"1"'})).headers["etag"] == '"2"'

    async def test_must_be_set_first(self, catalogue, path):
        admission_id = await path.to_decide()
        answer = await path.admit(admission_id)
        assert (answer.status_code, answer.json()["code"]) == (409, "cap-missing")
        assert await told(catalogue) == []

    async def test_an_item_is_in_hand_once(self, catalogue, path, people):
        item_id = await people.publish()
        body = make_proposal(kind="item", item_id=item_id, times_per_year=None)
        answers = await asyncio.gather(
            *(
                catalogue.client.post("/v1/admissions", json=body, headers=path.supervisor())
                for _ in range(3)
            )
        )
        assert sorted(each.status_code for each in answers) == [201, 409, 409]
        assert await catalogue.count("admission_history") == 1


class TestClock:
    async def fire(self, catalogue, kind: str) -> None:
        await catalogue.fetch(
            "UPDATE timer SET due_at = now() - interval '1 s' WHERE kind = $1", kind
        )
        await Timers(catalogue.database, TIMERS).run_due()

    async def test_silence_ends_the_consultation(self, catalogue, path):
        await path.cap(1)
        admission_id = await path.propose()
        await path.act(admission_id, "confirm-basis")
        await path.fund(admission_id)
        await path.act(admission_id, "consult", townships=TOWNSHIPS, until=day(2))
        await path.opine(admission_id, TOWNSHIPS[0])
        await self.fire(catalogue, "admission-consultation")
        silent = await path.admit(admission_id)
        assert [each["type"] for each in silent.json()["errors"]] == ["opinion-unanswered"]

    async def test_the_last_day_passes_and_makes_room(self, catalogue, path):
        await path.cap(1)
        admission_id = await path.to_decide()
        await path.admit(admission_id)
        await self.fire(catalogue, "admission-expiry")  # early, by a wrong clock: nothing happens
        assert len(await told(catalogue)) == 1
        yesterday = "UPDATE admission SET valid_from = $2, valid_until = $2 WHERE id = $1"
        await catalogue.fetch(yesterday, UUID(admission_id), date.fromisoformat(day(-1)))
        await catalogue.fetch(
            "INSERT INTO timer VALUES ('admission-expiry', $1, now())", UUID(admission_id)
        )
        await self.fire(catalogue, "admission-expiry")
        assert [each.state for each in await told(catalogue)] == ["admitted", "expired"]
        following = await path.to_decide(name="下一张表")
        assert (await path.admit(following)).status_code == 200

    async def test_the_yearly_review_keeps_or_ends(self, catalogue, path):
        await path.cap(1)
        admission_id = await path.to_decide()
        await path.admit(admission_id)
        await catalogue.fetch("UPDATE admission SET review_on = $1", date.fromisoformat(day(-1)))

        async def due() -> list[str]:
            answer = await catalogue.client.get(
                "/v1/admissions", params={"review_due": True}, headers=path.admitter()
            )
            return [each["id"] for each in answer.json()["items"] if each["review_due"]]

        assert await due() == [admission_id]
        assert (await path.act(admission_id, "keep")).status_code == 422
        assert (await path.act(admission_id, "keep", reason="仍有需要")).status_code == 200
        assert await due() == []
        assert (await path.act(admission_id, "end", reason="不再需要")).status_code == 200
        assert [each.state for each in await told(catalogue)] == ["admitted", "admitted", "ended"]
        listed = await catalogue.client.get("/v1/village-lists/form", params={"division": COUNTY})
        assert listed.json()["items"] == []


class TestRefusals:
    async def test_the_wrong_role_division_department_and_body(self, catalogue, path):
        admission_id = await path.propose()
        one, tagged = f"/v1/admissions/{admission_id}", await path.tag(admission_id)
        body, cap = make_proposal(), {"most": 1, "document": "x号"}
        other = path.supervisor(department="health")
        far = path.admitter(division=OTHER_COUNTY)
        content = {k: body[k] for k in body if k not in ("kind", "division_code", "item_id")}
        tried = [
            ("POST", "/v1/admissions", body, {}, 401),
            ("POST", "/v1/admissions", body, resident(), 403),
            ("POST", "/v1/admissions", body, path.admitter(), 403),
            ("POST", "/v1/admissions", body, other, 403),
            ("POST", "/v1/admissions", body, path.supervisor(division=OTHER_COUNTY), 403),
            ("POST", "/v1/admissions", body | {"division_code": CITY}, path.supervisor(), 422),
            ("POST", "/v1/admissions", body | {"times_per_year": None}, path.supervisor(), 422),
            ("POST", "/v1/admissions", body | {"kind": "item"}, path.supervisor(), 422),
            ("POST", "/v1/admissions", {"kind": "form"}, path.supervisor(), 422),
            ("PUT", one, content, other | tagged, 403),
            ("PUT", one, content, path.admitter() | tagged, 403),
            ("PUT", one, content | {"nature": "demolition"}, path.supervisor() | tagged, 422),
            ("PUT", one, content, path.supervisor() | {"If-Match": '"7"'}, 409),
            ("PUT", one, content, path.supervisor(), 428),
            ("PUT", f"{one}/funds", make_funds(), other | tagged, 403),
            ("PUT", f"{one}/funds", make_funds(cents_per_year=-1), path.supervisor() | tagged, 422),
            ("POST", f"{one}/actions/confirm-basis", {}, far | tagged, 403),
            ("POST", f"{one}/actions/confirm-basis", {}, path.supervisor() | tagged, 403),
            ("POST", f"{one}/actions/withdraw", {"reason": "x"}, other | tagged, 403),
            ("POST", f"{one}/actions/withdraw", {"reason": "x"}, path.admitter() | tagged, 403),
            ("POST", f"{one}/actions/refuse", {}, path.admitter() | tagged, 422),
            ("POST", f"{one}/actions/confirm-basis", {"x": 1}, path.admitter() | tagged, 422),
            ("POST", f"{one}/opinions", {"supports": True, "words": "好"}, path.admitter(), 403),
            ("GET", one, None, far, 403),
            ("GET", one, None, resident(), 403),
            ("GET", f"{one}/history", None, far, 403),
            ("GET", f"/v1/admissions/{UNKNOWN}", None, path.admitter(), 404),
            ("GET", "/v1/admissions", None, resident(), 403),
            ("PUT", f"/v1/admission-caps/{COUNTY}/form", cap, path.supervisor(), 403),
            ("PUT", f"/v1/admission-caps/{COUNTY}/form", cap, far, 403),
            ("PUT", f"/v1/admission-caps/{CITY}/form", cap, path.admitter(division=CITY), 422),
            ("GET", f"/v1/village-lists/form?division={CITY}", None, {}, 422),
        ]
        for method, url, sent, headers, status in tried:
            answer = await catalogue.client.request(method, url, json=sent, headers=headers)
            assert answer.status_code == status, (method, url, sent, answer.text)
        rows = await catalogue.fetch("SELECT version, state FROM admission")
        assert [tuple(row) for row in rows] == [(1, "proposed")]
        assert await catalogue.count("admission_history") == 1
        auditor = bearer("auditor", division=CITY)
        assert (await catalogue.client.get(one, headers=auditor)).status_code == 200

    async def test_a_repeat_with_the_key_proposes_once(self, catalogue, path):
        headers = path.supervisor() | {"Idempotency-Key": "a-1"}
        first, again = [
            await catalogue.client.post("/v1/admissions", json=make_proposal(), headers=headers)
            for _ in range(2)
        ]
        assert (again.status_code, again.content) == (201, first.content)
        assert await catalogue.count("admission") == 1

    async def test_a_proposal_is_rewritten_and_withdrawn_by_its_department(self, path):
        admission_id = await path.propose()
        body = make_proposal(name="改名的表")
        content = {k: body[k] for k in body if k not in ("kind", "division_code", "item_id")}
        answer = await path.client.put(
            f"/v1/admissions/{admission_id}",
            json=content,
            headers=path.supervisor() | await path.tag(admission_id),
        )
        assert (answer.status_code, answer.json()["name"]) == (200, "改名的表")
        withdrawn = await path.act(admission_id, "withdraw", reason="不需要了")
        assert withdrawn.json()["state"] == "withdrawn"
