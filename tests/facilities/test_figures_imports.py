import json

from contracts.facilities import CommunityFiguresRecorded
from services.facilities.worker import IMPORTS
from tests.facilities.factories import (
    COMMUNITY,
    COUNTY,
    OTHER_COMMUNITY,
    OTHER_COUNTY,
    VILLAGE,
    manager,
    statistician,
)
from tests.support.tokens import bearer

URL = "/v1/community-figure-imports"
HEADER = (
    "区划代码,年份,户数,常住人口,社区工作者,持证人数,易地搬迁安置,数据来源,印章使用清单,治保会人数"
)
GOOD = f"""{HEADER}
{COMMUNITY},2025,1200,3460,9,2,否,2025年统计年报,是,
{OTHER_COMMUNITY},2025,,2000,5,,是,2025年统计年报,否,4
"""
BAD = f"""{HEADER}
{COMMUNITY},2025,1200,3460,9,2,否,2025年统计年报
140802999201,2025,1,1,1,1,否,年报
{VILLAGE},2999,1,1,1,1,否,年报
{OTHER_COMMUNITY},2025,-5,很多,2,9,也许,年报
{VILLAGE},2025,,,,,,年报
{COMMUNITY},2025,1300,3460,9,2,否,2025年统计年报
"""


async def hand_in(facilities, text, *, headers=None, **query):
    return await facilities.client.post(
        URL,
        params={"division": COUNTY, "file_name": "figures.csv"} | query,
        content=text.encode(),
        headers={"Content-Type": "text/csv", "Idempotency-Key": "sheet-1"}
        | (headers or statistician()),
    )


async def work_off(facilities, answer):
    assert answer.status_code == 202, answer.text
    await IMPORTS.run_waiting(facilities.database)
    job = await facilities.client.get(f"{URL}/{answer.json()['id']}", headers=statistician())
    assert job.json()["state"] == "finished", job.text
    return job.json()


async def figures(facilities, code):
    answer = await facilities.client.get(f"/v1/communities/{code}/figures/2025")
    return answer.json()


class TestFiguresImport:
    async def test_rows_become_figures_with_history_and_event(self, facilities):
        job = await work_off(facilities, await hand_in(facilities, GOOD))
        assert (job["rows"]["created"], job["rows"]["changed"]) == (2, 0)
        body = await figures(facilities, OTHER_COMMUNITY)
        assert (body["households"], body["residents"], body["is_resettlement"]) == (
            None, 2000, True,
        )  # fmt: skip
        assert "households" in body["missing"]
        assert (body["has_seal_list"], body["security_members"]) == (False, 4)
        corrected = GOOD.replace("1200,3460", "1250,3460")
        keyed = statistician() | {"Idempotency-Key": "sheet-2"}
        job = await work_off(facilities, await hand_in(facilities, corrected, headers=keyed))
        assert (job["rows"]["created"], job["rows"]["changed"], job["rows"]["unchanged"]) == (
            0,
            1,
            1,
        )
        assert (await figures(facilities, COMMUNITY))["version"] == 2
        assert await facilities.count("community_figures_history") == 3
        events = [
            CommunityFiguresRecorded.model_validate(body) for _, body in await facilities.events()
        ]
        assert sorted(event.revision for event in events) == [1, 1, 2]

    async def test_dirty_rows_are_named_and_clean_ones_go_in(self, facilities):
        job = await work_off(facilities, await hand_in(facilities, BAD))
        assert job["rows"]["created"] == 1
        report = await facilities.client.get(
            f"{URL}/{job['id']}/problems?limit=100", headers=statistician()
        )
        told = {(entry["row"], entry["field"]) for entry in report.json()["items"]}
        assert told >= {
            (3, "区划代码"), (4, "年份"), (5, "户数"), (5, "常住人口"), (5, "易地搬迁安置"),
            (6, "数据来源"),
        }, json.dumps(report.json(), ensure_ascii=False)  # fmt: skip
        assert 7 in {row for row, _ in told}
        assert (await figures(facilities, COMMUNITY))["households"] == 1200
        assert await facilities.count("community_figures") == 1

    async def test_a_dry_run_writes_nothing(self, facilities):
        job = await work_off(facilities, await hand_in(facilities, GOOD, dry_run="true"))
        assert job["rows"]["created"] == 2
        assert await facilities.count("community_figures") == 0
        assert await facilities.events() == []

    async def test_who_may_not(self, facilities):
        for headers, code in [
            (manager(), "wrong-role"),
            (bearer("auditor"), "wrong-role"),
            (statistician(OTHER_COUNTY), "wrong-division"),
        ]:
            answer = await hand_in(facilities, GOOD, headers=headers)
            assert answer.json()["code"] == code
        assert await facilities.count("import_job") == 0
