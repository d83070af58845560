"""评价公开 and exports: small numbers withheld with what would give them away, and nobody named."""

import asyncio
import csv
import io
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from openpyxl import load_workbook

from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.scores import exports
from services.evaluation.scores import service as scores
from tests.evaluation.factories import (
    COUNTY,
    UNIT,
    VILLAGE,
    all_pages,
    deliver,
    division,
    finish_case,
    handler,
    supervisor,
)
from tests.support.tokens import bearer, resident

TOWNSHIP, NEXT, THIRD, FAR = "140802001000", "140802001006", "140802001007", "140802100201"
MONTH, LATER = date(2025, 9, 1), date(2025, 10, 1)


async def rated(service, day: date, **villages: int) -> None:
    """So many good ratings in each village on a day."""
    codes = {"first": VILLAGE, "second": NEXT, "third": THIRD, "far": FAR, "county": COUNTY}
    for name, count in villages.items():
        for _ in range(count):
            case = await finish_case(service, division_code=codes[name])
            await case.rate("satisfied", text="王桂英来办的")
            evaluable_id = UUID(case.evaluable_id)
            await service.fetch(
                "UPDATE rating SET given_on = $2 WHERE evaluable_id = $1", evaluable_id, day
            )
            async with service.database.transaction() as session:
                scores.touch(session, evaluable_id)


async def publish(service, day=MONTH, headers=None, **values):
    body = {"division_code": COUNTY, "grain": "month", "day": str(day)} | values
    return await service.client.post("/v1/score-tables", json=body, headers=headers or supervisor())


def shown(table) -> dict[str, int | None]:
    return {row["division_code"]: row["rated"] for row in table["rows"]}


class TestPublishing:
    async def test_small_numbers_and_what_gives_them_away_are_withheld(self, evaluation):
        await deliver(evaluation, division(VILLAGE, "常平村委会"))
        await rated(evaluation, MONTH, first=9, second=7, third=2, far=6)
        answer = await publish(evaluation)
        assert answer.status_code == 201, answer.text
        table = answer.json()
        assert shown(table) == {
            COUNTY: 24,
            TOWNSHIP: 18,
            VILLAGE: 9,
            NEXT: None,
            THIRD: None,
            "140802100000": 6,
            FAR: 6,
        }
        row = next(row for row in table["rows"] if row["division_code"] == THIRD)
        assert row["is_withheld"]
        assert row["satisfaction_ratio"] is row["average_stars"] is None
        listed = await evaluation.client.get(f"/v1/score-tables?division={COUNTY}")
        assert [each["id"] for each in listed.json()["items"]] == [table["id"]]
        path = f"/v1/score-tables/{table['id']}"
        assert (await evaluation.client.get(path)).json() == table

    async def test_a_year_does_not_tell_what_its_months_withheld(self, evaluation):
        await rated(evaluation, MONTH, first=6, second=6, third=6)
        await rated(evaluation, LATER, first=6, second=6, third=1)
        for month in (MONTH, LATER):
            assert (await publish(evaluation, month)).status_code == 201
        year = (await publish(evaluation, MONTH, grain="year")).json()
        # 7 in the year and 6 in September would tell the one of October.
        assert shown(year)[THIRD] is None
        assert list(shown(year).values()).count(None) >= 2

    async def test_once(self, evaluation):
        await rated(evaluation, MONTH, first=5)
        answers = await asyncio.gather(*(publish(evaluation) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert (await publish(evaluation, grain="year")).status_code == 201
        late = await publish(evaluation, LATER)
        assert (late.status_code, late.json()["code"]) == (409, "published-already")
        assert await evaluation.count("score_table") == 2

    @pytest.mark.parametrize(
        ("headers", "values", "code"),
        [
            (handler(), {}, "wrong-role"),
            (bearer("statistician"), {}, "wrong-role"),
            (resident(), {}, "wrong-role"),
            (supervisor("140821000000"), {}, "wrong-division"),
            (supervisor("140800000000"), {"division_code": "140800000000"}, "not-a-county"),
            (None, {"division_code": TOWNSHIP}, "not-a-county"),
            (None, {"day": str(local_day(now()))}, "period-not-over"),
            (None, {"grain": "day"}, "invalid-request"),
        ],
    )
    async def test_refusals(self, evaluation, headers, values, code):
        assert (await publish(evaluation, headers=headers, **values)).json()["code"] == code
        assert await evaluation.count("score_table") == 0

    async def test_there_is_none(self, evaluation):
        answer = await evaluation.client.get(f"/v1/score-tables/{uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (404, "score-table-not-found")


class TestExports:
    async def export(self, evaluation, headers=None, **query):
        params = {"kind": "division", "division": COUNTY, "from": "2025-09-01"} | query
        return await evaluation.client.get(
            "/v1/score-exports",
            params=params | {"until": "2025-12-31"},
            headers=headers or supervisor(),
        )

    async def test_rows_as_csv_and_xlsx_without_who(self, evaluation, monkeypatch):
        monkeypatch.setattr(exports, "BATCH_ROWS", 2)
        await deliver(evaluation, division(VILLAGE, "常平村委会"))
        await rated(evaluation, MONTH, first=2, second=1)
        await rated(evaluation, LATER, first=1)
        answer = await self.export(evaluation, level="community")
        assert answer.status_code == 200, answer.text
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert [(row["日期"], row["对象"], row["评价数"]) for row in rows] == [
            ("2025-09-01", VILLAGE, "2"),
            ("2025-10-01", VILLAGE, "1"),
            ("2025-09-01", NEXT, "1"),
        ]
        assert rows[0]["名称"] == "常平村委会"
        cases = await evaluation.fetch("SELECT case_number, applicant_id FROM case_copy")
        told = answer.text + str(rows)
        assert "王桂英" not in told
        assert not any(row["case_number"] in told for row in cases)
        assert not any(str(row["applicant_id"]) in told for row in cases)
        sheet = await self.export(evaluation, kind="unit", format="xlsx", grain="year")
        book = load_workbook(io.BytesIO(sheet.content))
        [_, line] = book.worksheets[0].iter_rows(values_only=True)
        assert (line[1], line[8]) == (UNIT, 4)

    @pytest.mark.parametrize(
        ("headers", "query", "code"),
        [
            (handler(), {}, "wrong-role"),
            (resident(), {}, "wrong-role"),
            (supervisor("140821000000"), {}, "wrong-division"),
            (None, {"kind": "item"}, "division-not-for-items"),
            (None, {"kind": "unit", "level": "county"}, "level-not-for-kind"),
            (None, {"grain": "all"}, "period-invalid"),
            (None, {"from": "2020-01-01", "grain": "day"}, "period-invalid"),
            (None, {"format": "json"}, "invalid-request"),
        ],
    )
    async def test_refusals(self, evaluation, headers, query, code):
        answer = await self.export(evaluation, headers, **query)
        assert answer.json()["code"] == code


async def test_a_day_sums_into_months_of_exports(evaluation):
    await rated(evaluation, MONTH + timedelta(days=29), county=1)
    seen = await all_pages(
        evaluation,
        f"/v1/scores?kind=division&level=county&division={COUNTY}&grain=month&day=2025-09-15",
        supervisor(),
    )
    assert [row["rated"] for row in seen] == [1]
