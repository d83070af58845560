"""Certificates: lists by province and version, the three answers, and reports of departments."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.certificates import rules
from services.catalogue.certificates.schemas import CheckRead, ListRead
from services.catalogue.certificates.seed import seed
from services.catalogue.personal import looks_personal
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE
from tests.support.tokens import bearer, resident

DATA = Path(__file__).parents[2] / "data"
SHANXI, HUBEI_VILLAGE = "140000000000", "420102001001"
TOWNSHIP = "140802001000"


@pytest.fixture
async def lists(catalogue) -> None:
    await seed(catalogue.database, DATA)


async def check(catalogue, name: str, division: str = VILLAGE, **params: str) -> CheckRead:
    answer = await catalogue.client.get(
        "/v1/certificates/check", params={"name": name, "division": division, **params}
    )
    assert answer.status_code == 200, answer.text
    return CheckRead.model_validate(answer.json())


class TestNames:
    def test_are_compared_without_what_says_nothing(self):
        assert rules.key_of(" 无犯罪记录的 证明") == rules.key_of("无犯罪记录证明")

    @settings(max_examples=50)
    @given(st.text(alphabet="无犯罪记录的 证明", max_size=12))
    def test_spaces_and_the_ending_never_matter(self, name):
        assert rules.key_of(f" {name} ") == rules.key_of(name)
        assert rules.key_of(rules.key_of(name) + "证明") == rules.key_of(name)

    @pytest.mark.parametrize(
        ("text", "personal"),
        [
            ("13800138000", True),
            ("1 3 8-0013 8000", True),
            ("３７０８０２１９９", True),
            ("a@b.cn", True),
            ("幸福小区3号楼", True),
            ("办理2026年低保", False),
            ("一寸照片2张", False),
        ],
    )
    def test_what_looks_like_somebodys(self, text, personal):
        assert looks_personal(text) is personal


class TestCheck:
    async def test_no_and_where_instead(self, catalogue, lists):
        no = await check(catalogue, "无犯罪记录")
        assert (no.outcome, no.certificate) == ("no", "无犯罪记录证明")
        assert no.instead is not None
        assert (no.instead.department, no.instead.provisional) == ("public-security", True)
        assert no.listed_in is not None
        assert (no.listed_in.code, no.listed_in.document) == ("national", "民发〔2020〕20号")
        assert (await check(catalogue, "表现证明")).certificate == "社区戒毒社区康复人员情况证明"

    async def test_yes_and_verify_first(self, catalogue, lists):
        yes = await check(catalogue, "收养证明")
        assert (yes.outcome, yes.template) == ("yes", None)
        assert yes.listed_in is not None
        assert yes.listed_in.code == "shanxi-issued"
        assert (await check(catalogue, "收养证明", HUBEI_VILLAGE)).outcome == "verify-first"
        unknown = await check(catalogue, "亲属情况证明")
        assert (unknown.outcome, unknown.certificate) == ("verify-first", None)
        assert "亲属关系证明" in unknown.similar
        assert (await check(catalogue, "养蜂证明")).similar == []

    async def test_a_provinces_list_takes_the_place_of_the_national_one(self, catalogue, lists):
        assert (await check(catalogue, "健在证明")).outcome == "no"
        assert (await check(catalogue, "健在证明", HUBEI_VILLAGE)).outcome == "verify-first"
        assert (await check(catalogue, "转学证明", HUBEI_VILLAGE)).outcome == "no"
        assert (await check(catalogue, "转学证明")).outcome == "verify-first"
        assert (await check(catalogue, "健在证明", on="2019-12-31")).outcome == "verify-first"
        answer = await catalogue.client.get(
            "/v1/certificate-lists", params={"division": HUBEI_VILLAGE}
        )
        [hubei] = [ListRead.model_validate(each) for each in answer.json()["items"]]
        assert len(hubei.entries) == 21
        answer = await catalogue.client.get("/v1/certificate-lists", params={"division": VILLAGE})
        assert [len(each["entries"]) for each in answer.json()["items"]] == [20, 5]

    async def test_seeding_twice_adds_nothing(self, catalogue, lists):
        assert "0 certificate lists" in await seed(catalogue.database, DATA)
        assert await catalogue.count("certificate_list") == 3

    async def test_malformed_questions(self, catalogue):
        for params in (
            {"name": "x", "division": VILLAGE},
            {"name": "证明"},
            {"name": "证明", "division": "1"},
        ):
            answer = await catalogue.client.get("/v1/certificates/check", params=params)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


def make_list(**overrides: Any) -> dict[str, Any]:
    body = {
        "code": "shanxi-issued",
        "kind": "issued",
        "division_code": SHANXI,
        "name": "山西省村级组织出具证明事项指导目录",
        "document": "晋民发〔2026〕1号",
        "source": "省民政厅",
        "effective_from": "2026-06-01",
        "entries": [
            {
                "name": "收养证明",
                "template": {
                    "title": "收养证明",
                    "text": "兹证明{name}的情况属实。",
                    "blanks": [{"code": "name", "label": "姓名"}],
                },
                "procedure": "本人申请，村民委员会两人核实。",
            }
        ],
    }
    return body | overrides


def approver(**claims: Any) -> dict[str, str]:
    return bearer("catalogue-approver", **({"division": SHANXI, "name": "省厅"} | claims))


class TestVersions:
    async def test_a_province_records_the_next_and_the_old_stays(self, catalogue, lists):
        headers = approver() | {"Idempotency-Key": "list-1"}
        answer = await catalogue.client.post(
            "/v1/certificate-lists", json=make_list(), headers=headers
        )
        assert (answer.status_code, answer.json()["version"]) == (201, 2)
        again = await catalogue.client.post(
            "/v1/certificate-lists", json=make_list(), headers=headers
        )
        assert again.content == answer.content
        yes = await check(catalogue, "收养证明")
        assert yes.template is not None
        assert yes.template.blanks[0].label == "姓名"
        old = await check(catalogue, "发展党员证明", on="2026-05-31")
        assert (old.outcome, old.listed_in.version if old.listed_in else 0) == ("yes", 1)
        assert (await check(catalogue, "发展党员证明")).outcome == "verify-first"
        late = await catalogue.client.post(
            "/v1/certificate-lists", json=make_list(), headers=approver()
        )
        assert late.json()["code"] == "certificate-list-outdated"

    async def test_two_at_once_make_one_version(self, catalogue):
        answers = await asyncio.gather(
            *(
                catalogue.client.post("/v1/certificate-lists", json=make_list(), headers=approver())
                for _ in range(3)
            )
        )
        assert sorted(each.status_code for each in answers) == [201, 409, 409]
        assert await catalogue.count("certificate_entry") == 1

    async def test_refusals(self, catalogue, lists):
        [entry] = make_list()["entries"]
        wrong = make_list(
            entries=[entry | {"instead": {"text": "x"}}, {"name": "收养的证明"}, entry | {
                "name": "另一项", "template": entry["template"] | {"blanks": []}}]
        )  # fmt: skip
        tried = [
            (make_list(), {}, 401, "unauthenticated"),
            (make_list(), resident(), 403, "wrong-role"),
            (make_list(), bearer("catalogue-editor", division=SHANXI), 403, "wrong-role"),
            (make_list(), approver(division=COUNTY), 403, "wrong-division"),
            (make_list(division_code=COUNTY), approver(), 403, "wrong-division"),
            (make_list(code="hubei"), approver(), 403, "wrong-division"),
            (make_list(entries=[]), approver(), 422, "invalid-request"),
            (wrong, approver(), 422, "certificate-list-inconsistent"),
        ]
        for body, headers, status, code in tried:
            answer = await catalogue.client.post(
                "/v1/certificate-lists", json=body, headers=headers
            )
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert [each["type"] for each in answer.json()["errors"]] == [
            "name-twice",
            "instead-needless",
            "blanks-differ",
        ]
        assert await catalogue.count("certificate_list") == 3
        missing = await catalogue.client.get(f"/v1/certificate-lists/{uuid4()}")
        assert missing.status_code == 404


def make_report(**overrides: Any) -> dict[str, Any]:
    report = {
        "division_code": VILLAGE,
        "certificate": "居民财产证明",
        "department": "civil-affairs",
        "unit_name": "县民政局社会救助股",
        "matter": "申请临时救助时要求村里开",
    }
    return report | overrides


AGENT = {"division": VILLAGE}


class TestReports:
    async def report(self, catalogue, **overrides: Any) -> str:
        answer = await catalogue.client.post(
            "/v1/certificate-reports",
            json=make_report(**overrides),
            headers=bearer("village-agent", **AGENT),
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def act(self, catalogue, report_id: str, action: str, version: int, **how: Any):
        headers = how.pop("headers", bearer("township-officer", division=TOWNSHIP))
        return await catalogue.client.post(
            f"/v1/certificate-reports/{report_id}/actions/{action}",
            json={"words": "已联系", **how},
            headers=headers | {"If-Match": f'"{version}"'},
        )

    async def test_the_township_takes_it_up_and_the_county_settles(self, catalogue, lists):
        report_id = await self.report(catalogue)
        listed = await catalogue.client.get(
            "/v1/certificate-reports",
            params={"state": "reported"},
            headers=bearer("township-officer", division=TOWNSHIP),
        )
        assert [each["id"] for each in listed.json()["items"]] == [report_id]
        assert (await self.act(catalogue, report_id, "settle", 1)).status_code == 409
        assert (await self.act(catalogue, report_id, "take", 1)).status_code == 200
        no_outcome = await self.act(catalogue, report_id, "settle", 2)
        assert no_outcome.json()["code"] == "outcome-missing"
        assert (await self.act(catalogue, report_id, "escalate", 2)).status_code == 200
        mine = await self.act(catalogue, report_id, "settle", 3, outcome="demand-dropped")
        assert (mine.status_code, mine.json()["code"]) == (403, "wrong-role")
        county = bearer("county-admitter", division=COUNTY, name="县里")
        settled = await self.act(
            catalogue, report_id, "settle", 3, outcome="demand-dropped", headers=county
        )
        assert (settled.json()["state"], settled.json()["outcome"]) == ("settled", "demand-dropped")
        history = await catalogue.client.get(
            f"/v1/certificate-reports/{report_id}/history", headers=bearer("auditor", division=CITY)
        )
        assert [each["action"] for each in history.json()["items"]] == [
            "settle", "escalate", "take", "report",
        ]  # fmt: skip

    async def test_two_officers_take_it_once(self, catalogue, lists):
        report_id = await self.report(catalogue)
        answers = await asyncio.gather(
            *(self.act(catalogue, report_id, "take", 1) for _ in range(3))
        )
        assert sorted(each.status_code for each in answers) == [200, 409, 409]
        assert await catalogue.count("certificate_report_history") == 2

    async def test_refusals(self, catalogue, lists):
        agent = bearer("village-agent", **AGENT)
        tried = [
            (make_report(), {}, 401),
            (make_report(), resident(), 403),
            (make_report(), bearer("catalogue-editor", division=COUNTY), 403),
            (make_report(), bearer("village-agent", division=OTHER_COUNTY), 403),
            (make_report(certificate="养蜂证明"), agent, 422),
            (make_report(matter="王某 13800138000 来开"), agent, 422),
            (make_report(department="X"), agent, 422),
        ]
        for body, headers, status in tried:
            answer = await catalogue.client.post(
                "/v1/certificate-reports", json=body, headers=headers
            )
            assert answer.status_code == status, answer.text
        assert await catalogue.count("certificate_report") == 0
        report_id = await self.report(catalogue)
        far = bearer("township-officer", division="140802100000")
        assert (await self.act(catalogue, report_id, "take", 1, headers=far)).status_code == 403
        assert (await self.act(catalogue, report_id, "take", 1, headers=agent)).status_code == 403
        assert (await self.act(catalogue, report_id, "take", 9)).status_code == 409
        early = await self.act(catalogue, report_id, "take", 1, outcome="demand-stands")
        assert early.json()["code"] == "outcome-missing"
        for path in ("", "/history"):
            answer = await catalogue.client.get(
                f"/v1/certificate-reports/{report_id}{path}", headers=far
            )
            assert answer.status_code == 403
        own = await catalogue.client.get(f"/v1/certificate-reports/{report_id}", headers=agent)
        assert (own.json()["state"], own.headers["etag"]) == ("reported", '"1"')


def test_the_nearest_version_in_force_speaks():
    class Each:
        def __init__(self, code, division, day, kind="not-issued"):
            self.code, self.division_code, self.kind = code, division, kind
            self.effective_from = date.fromisoformat(day)

    old, new = Each("n", None, "2020-01-01"), Each("n", None, "2024-01-01")
    province = Each("s", SHANXI, "2025-01-01")
    everything = [old, new, province]
    assert rules.in_force(everything, VILLAGE, date(2023, 1, 1)) == [old]
    assert rules.in_force(everything, VILLAGE, date(2024, 6, 1)) == [new]
    assert rules.in_force(everything, VILLAGE, date(2025, 6, 1)) == [province]
    assert rules.in_force(everything, HUBEI_VILLAGE, date(2025, 6, 1)) == [new]
