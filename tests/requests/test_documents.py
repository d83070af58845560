"""通知书: issued by acts, numbered without gaps, shown without more than one may see."""

import io
import re
from datetime import datetime

import pytest
from pypdf import PdfReader

from services.requests.clock.rules import LOCAL
from services.requests.documents.rules import TEMPLATES, newest, paragraphs
from tests.requests import factories
from tests.support.tokens import bearer, resident

NAME = factories.PERSON["name"]


async def documents(case, who):
    answer = await case.service.client.get(f"/v1/cases/{case.id}/documents", headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestDocuments:
    async def test_every_act_that_calls_for_one_issues_one(self, case):
        await case.done(case.clerk, "request-correction", missing=["残疾人证复印件", "银行卡"])
        await case.done(case.applicant, "answer-correction")
        await case.done(case.clerk, "accept")
        await case.done(
            case.handler, "pause", procedure="hearing", reason="依法听证", expected_days=5
        )
        await case.done(case.handler, "resume", outcome="听证结束")
        await case.done(case.supervisor, "extend", days=5, reason="案情复杂")
        await case.done(case.handler, "decide", granted=False, note="收入超过标准")
        await case.done(case.handler, "complete", result_code=1)
        await case.done(case.clerk, "deliver", way="direct")
        listed = await documents(case, case.applicant)
        assert [each["kind"] for each in listed] == [
            "correction", "acceptance", "special-procedure", "resumption", "extension", "denial",
            "delivery",
        ]  # fmt: skip
        assert "1. 残疾人证复印件\n2. 银行卡" in listed[0]["paragraphs"]
        assert NAME in listed[0]["paragraphs"][0]
        assert listed[2]["paragraphs"][0].endswith("依法需要听证。理由：依法听证")
        assert len({each["number"] for each in listed}) == 7
        year = datetime.now(LOCAL).year
        assert listed[1]["number"].startswith(f"盐湖区民政局受字〔{year}〕第")

    async def test_staff_see_the_name_masked(self, case):
        await case.done(case.clerk, "accept")
        [listed] = await documents(case, case.handler)
        assert NAME not in str(listed)

    async def test_a_refused_act_issues_nothing_and_takes_no_number(self, case):
        serials = []
        for issued in (0, 1):
            await case.refused(case.applicant, "withdraw", version=9)
            assert await case.service.count("case_document") == issued
            await case.done(case.applicant, "withdraw")
            listed = await documents(case, case.applicant)
            [serial] = re.findall(r"第(\d+)号", listed[-1]["number"])
            serials.append(int(serial))
            await case.service.fetch("UPDATE service_case SET state = 'received'")
        assert serials[1] == serials[0] + 1

    async def test_drawn_for_the_applicant_and_printed_on_record(self, case):
        await case.done(case.clerk, "accept")
        [listed] = await documents(case, case.applicant)
        path = f"/v1/cases/{case.id}/documents/{listed['id']}"
        drawn = await case.service.client.get(f"{path}/pdf", headers=case.applicant)
        assert drawn.headers["content-type"] == "application/pdf"
        text = PdfReader(io.BytesIO(drawn.content)).pages[0].extract_text()
        assert listed["number"] in text
        assert NAME in text
        masked = await case.service.client.get(f"{path}/pdf", headers=case.handler)
        assert NAME not in PdfReader(io.BytesIO(masked.content)).pages[0].extract_text()
        body = {"reason": "窗口当面送达受理通知书"}
        printed = await case.service.client.post(f"{path}/prints", json=body, headers=case.clerk)
        assert NAME in PdfReader(io.BytesIO(printed.content)).pages[0].extract_text()
        [access] = await case.service.fetch("SELECT record, viewer_name FROM data_access")
        assert access["record"].endswith(listed["number"])

    @pytest.mark.parametrize(
        ("who", "code"),
        [
            (resident(), "wrong-person"),
            (bearer("window-clerk", division="140821000000"), "wrong-division"),
            (bearer("catalogue-editor"), "wrong-role"),
        ],
    )
    async def test_who_may_not(self, case, who, code):
        await case.done(case.clerk, "accept")
        [listed] = await documents(case, case.applicant)
        path = f"/v1/cases/{case.id}/documents"
        for answer in (
            await case.service.client.get(path, headers=who),
            await case.service.client.get(f"{path}/{listed['id']}/pdf", headers=who),
            await case.service.client.post(
                f"{path}/{listed['id']}/prints", json={"reason": "窗口打印"}, headers=who
            ),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        unknown = await case.service.client.get(f"{path}/{case.id}/pdf", headers=case.handler)
        assert unknown.json()["code"] == "document-not-found"
        silent = await case.service.client.post(
            f"{path}/{listed['id']}/prints", json={"reason": ""}, headers=case.clerk
        )
        assert silent.status_code == 422
        assert await case.service.count("data_access") == 0


def test_every_template_speaks_with_its_facts():
    facts = {
        "applicant": "王某", "submitted_on": "2026-11-20", "item_name": "事项", "case_number": "1",
        "missing": ["照片"], "answer_by": "2026-12-01", "due_on": "", "follow_ups": [],
        "reason": "理由", "right_organ": "县残联", "procedure": "auction", "expected_days": 3,
        "expected_until": "2026-12-01", "outcome": "结束", "days": 3, "to": "市局", "opinions": [],
        "note": "", "way": "自取", "tracking_number": "",
    }  # fmt: skip
    for kind in TEMPLATES:
        text = "".join(paragraphs(kind, newest(kind), facts))
        assert "王某" in text
        assert "{" not in text
    assert "待当年工作日历公布后确定" in "".join(paragraphs("acceptance", 1, facts))
