"""考核: points from what is counted anyway, places, the months-last rule, and what is refused."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.facilities import IndicatorComputed
from servicekit.outbox import now
from services.evaluation.assessments.monthly import assess_due
from services.evaluation.assessments.rules import (
    Bounds,
    is_last_throughout,
    months_before,
    part,
    place,
    points,
    traces,
)
from services.evaluation.calendar.rules import local_day
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

NEXT, THIRD = "140802001006", "140802001007"
LAST_MONTH = (local_day(now()).replace(day=1) - timedelta(days=1)).replace(day=1)
BEFORE = (LAST_MONTH - timedelta(days=1)).replace(day=1)
SATISFIED = {
    "code": "satisfied",
    "title": "好评率",
    "counts": "当月评价中非差评的占比",
    "source": "scores",
    "measure": "satisfaction-ratio",
    "weight": 60,
    "zero": 0.5,
    "full": 1.0,
    "minimum": 1,
}
AREA = {
    "code": "area",
    "title": "每百户设施面积",
    "counts": "设施面积除以户数",
    "source": "facilities",
    "indicator_code": "area-per-100-households",
    "weight": 40,
    "zero": 0,
    "full": 30,
}


def indicator(code: str = VILLAGE, value: float | None = 15, month=BEFORE, **values):
    defaults = {
        "indicator_key": f"{code}:area-per-100-households:{month:%Y-%m}",
        "division_code": code,
        "indicator_code": "area-per-100-households",
        "month": month,
        "numerator": 1.0,
        "denominator": 1.0,
        "value": value,
        "unit": "m2-per-100-households",
        "missing": 0,
        "revision": 1,
        "recorded_at": datetime.now(UTC),
    }
    return IndicatorComputed(**(defaults | values))


async def define(service, headers=None, **values):
    body = {
        "code": "village-services",
        "division_code": COUNTY,
        "title": "村级服务考核",
        "assessed": "community",
        "indicators": [SATISFIED, AREA],
        "incentive_places": 1,
        "valid_from": str(BEFORE),
    }
    return await service.client.post(
        "/v1/assessment-schemes", json=body | values, headers=headers or supervisor()
    )


async def make(service, month=LAST_MONTH, headers=None, code="village-services"):
    return await service.client.post(
        f"/v1/assessments/{code}/actions/make?month={month}", headers=headers or supervisor()
    )


async def cards(service, month=LAST_MONTH, code="village-services"):
    return await all_pages(service, f"/v1/assessments/{code}/cards?month={month}", supervisor())


async def rated(service, village: str, levels: list[str], month=LAST_MONTH) -> None:
    for level in levels:
        case = await finish_case(service, division_code=village)
        await case.rate(level)
        evaluable_id = UUID(case.evaluable_id)
        await service.fetch(
            "UPDATE rating SET given_on = $2 WHERE evaluable_id = $1",
            evaluable_id,
            month + timedelta(days=9),
        )
        async with service.database.transaction() as session:
            scores.touch(session, evaluable_id)


@pytest.fixture
async def county(evaluation):
    for code in (COUNTY, VILLAGE, NEXT, THIRD):
        await deliver(evaluation, division(code, f"地{code[-3:]}"))
    await deliver(evaluation, indicator())
    return evaluation


class TestSchemes:
    async def test_a_change_is_the_next_version(self, county):
        first = (await define(county)).json()
        second = (await define(county, title="新办法")).json()
        assert (first["version"], second["version"]) == (1, 2)
        listed = await all_pages(county, f"/v1/assessment-schemes?division={COUNTY}")
        assert [row["title"] for row in listed] == ["新办法", "村级服务考核"]

    @pytest.mark.parametrize(
        "text", ["上传工作截图数", "录制视频次数", "填报 表格份数", "微信群打卡人数", "报送材料数"]
    )
    async def test_what_counts_proofs_of_work_is_refused_with_the_policy(self, county, text):
        answer = await define(county, indicators=[SATISFIED | {"counts": text}])
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "assessment-counts-traces")
        assert "不得简单以上传工作场景截图" in problem["policy"]
        assert problem["indicator"] == "satisfied"
        assert problem["words"] != []
        assert await county.count("assessment_scheme") == 0

    @pytest.mark.parametrize(
        ("headers", "values", "code"),
        [
            (None, {"indicators": []}, "invalid-request"),
            (None, {"indicators": [SATISFIED, SATISFIED]}, "invalid-request"),
            (None, {"indicators": [SATISFIED | {"measure": "uploads"}]}, "invalid-request"),
            (None, {"indicators": [SATISFIED | {"full": 0.5}]}, "invalid-request"),
            (None, {"indicators": [AREA], "assessed": "unit"}, "invalid-request"),
            (None, {"indicators": [SATISFIED | {"source": "uploads"}]}, "invalid-request"),
            (None, {"indicators": [AREA | {"indicator_code": "beds"}]}, "indicator-unknown"),
            (None, {"division_code": "140802009000"}, "division-unknown"),
            (supervisor("140821000000"), {}, "wrong-division"),
            (bearer("statistician"), {}, "wrong-role"),
            (resident(), {}, "wrong-role"),
        ],
    )
    async def test_refusals(self, county, headers, values, code):
        assert (await define(county, headers, **values)).json()["code"] == code
        assert await county.count("assessment_scheme") == 0


class TestCards:
    async def test_points_from_scores_and_facilities_by_what_is_known(self, county):
        await define(county)
        await rated(county, VILLAGE, ["satisfied", "satisfied", "satisfied", "dissatisfied"])
        await rated(county, NEXT, ["satisfied"])
        made = (await make(county)).json()
        assert (made["cards"], made["ranked"]) == (3, 2)
        first, second, third = await cards(county)
        # Only the rating of it is known, 60 of 100: full points for what is known.
        assert (first["subject_id"], first["points"], first["place"]) == (NEXT, 100.0, 1)
        # (0.75 - 0.5) / 0.5 of 60 and 15 / 30 of 40.
        assert (second["subject_id"], second["points"]) == (VILLAGE, pytest.approx(50))
        assert (third["points"], third["place"]) == (None, None)
        assert [part["value"] for part in second["parts"]] == [0.75, 15]
        assert second["subject_name"] == f"地{VILLAGE[-3:]}"
        assert second["is_last"]

    async def test_an_older_or_repeated_indicator_changes_nothing(self, county):
        newer = indicator(value=30, revision=5)
        event_id = uuid4()
        for event, known_id in ((newer, event_id), (newer, event_id), (indicator(), None)):
            await deliver(county, event, known_id)
        [row] = await county.fetch("SELECT value, revision FROM indicator_copy")
        assert (row["value"], row["revision"]) == (30, 5)

    async def test_months_go_by_the_version_in_force_and_are_over(self, county):
        await define(county)
        for month, status, code in (
            (local_day(now()), 409, "month-not-over"),
            (BEFORE - timedelta(days=1), 404, "scheme-not-found"),
        ):
            answer = await make(county, month)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        for headers, code in (
            (supervisor("140821000000"), "wrong-division"),
            (handler(), "wrong-role"),
            (resident(), "wrong-role"),
        ):
            assert (await make(county, headers=headers)).json()["code"] == code
        assert await county.count("assessment_card") == 0

    async def test_who_sees_a_card(self, county):
        await define(county)
        await make(county)
        path = f"/v1/assessments/village-services/cards/{VILLAGE}?month={LAST_MONTH}"
        for headers, status in (
            (supervisor(), 200),
            (bearer("village-agent", division=VILLAGE), 200),
            (bearer("village-agent", division=NEXT), 403),
            (supervisor("140821000000"), 403),
            (resident(), 403),
        ):
            answer = await county.client.get(path, headers=headers)
            assert answer.status_code == status, answer.text
        none = await county.client.get(path.replace(VILLAGE, "140802001099"), headers=supervisor())
        assert none.json()["code"] == "card-not-found"

    async def test_units(self, county):
        await define(county, code="units", assessed="unit", indicators=[SATISFIED])
        await rated(county, VILLAGE, ["satisfied"])
        await make(county, code="units")
        [card] = await cards(county, code="units")
        assert (card["subject_id"], card["points"], card["is_last"]) == (UNIT, 100, False)
        path = f"/v1/assessments/units/cards/{UNIT}?month={LAST_MONTH}"
        assert (await county.client.get(path, headers=handler())).status_code == 200
        other = handler(f"{COUNTY}:health")
        assert (await county.client.get(path, headers=other)).json()["code"] == "wrong-unit"

    async def test_every_month_by_itself_once(self, county):
        await define(county, valid_from="2025-01-01")
        done = await asyncio.gather(
            *(assess_due(county.settings, county.database) for _ in range(3))
        )
        assert sum(done) >= 1
        assert await county.count("assessment_card") == 3
        assert await assess_due(county.settings, county.database) == 0


class TestProposals:
    async def test_two_months_last_and_the_head_of_the_list(self, county):
        await define(county, indicators=[SATISFIED])
        for month in (BEFORE, LAST_MONTH):
            await rated(county, VILLAGE, ["dissatisfied"], month)
            await rated(county, NEXT, ["satisfied"], month)
        assert (await make(county, BEFORE)).json()["proposals"] == 1  # the first place alone
        assert (await make(county)).json()["proposals"] == 2
        assert (await make(county)).json()["proposals"] == 2  # again: the same, not more
        path = f"/v1/assessment-proposals?division={COUNTY}"
        found = await all_pages(county, path, supervisor())
        talks = [row for row in found if row["kind"] == "talk"]
        assert [(row["subject_id"], row["month"]) for row in talks] == [(VILLAGE, str(LAST_MONTH))]
        assert len(found) == 3

    async def test_somebody_decides_once(self, county):
        await define(county, indicators=[SATISFIED])
        await rated(county, VILLAGE, ["satisfied"])
        await rated(county, NEXT, ["dissatisfied"])
        await make(county)
        path = f"/v1/assessment-proposals?division={COUNTY}&state=proposed"
        [proposal] = (await county.client.get(path, headers=supervisor())).json()["items"]

        async def decide(headers=None, version=1, **body):
            return await county.client.post(
                f"/v1/assessment-proposals/{proposal['id']}/actions/decide",
                json={"state": "confirmed", "reason": "群众满意"} | body,
                headers=(headers or supervisor()) | {"If-Match": f'"{version}"'},
            )

        assert (await decide(bearer("statistician"))).json()["code"] == "wrong-role"
        assert (await decide(supervisor("140821000000"))).json()["code"] == "wrong-division"
        assert (await decide(reason="")).status_code == 422
        assert (await decide(state="proposed")).status_code == 422
        answers = await asyncio.gather(*(decide() for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert (await decide(version=2)).json()["code"] == "proposal-decided"
        await make(county)  # what was decided stays
        [row] = await county.fetch("SELECT state FROM assessment_proposal")
        assert row["state"] == "confirmed"


class TestRules:
    @given(st.floats(-10, 10), st.floats(-10, 10), st.floats(-20, 20), st.floats(0.1, 100))
    def test_points_lie_between_nothing_and_the_weight(self, zero, full, value, weight):
        if abs(zero - full) < 1e-6:
            return
        found = part(Bounds("a", weight, zero, full), value)
        assert found.points is not None
        assert 0 <= found.points <= weight
        assert part(Bounds("a", weight, zero, full), full).points == pytest.approx(weight)
        assert part(Bounds("a", weight, zero, full), zero).points == 0

    def test_less_than_half_known_is_not_compared(self):
        known, unknown = part(Bounds("a", 40, 0, 1), 1), part(Bounds("b", 60, 0, 1), None)
        assert points([known, unknown]) is None
        assert points([known, known, unknown]) == 100

    @given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.none() | st.integers(0, 4)))
    def test_places(self, found):
        values = {key: None if value is None else float(value) for key, value in found.items()}
        placed = place(values)
        known = sorted((v for v in values.values() if v is not None), reverse=True)
        for each in placed:
            if each.points is not None:
                assert each.place == 1 + sum(value > each.points for value in known)
                assert each.is_last == (each.points == known[-1] < known[0])
            else:
                assert not each.is_last

    def test_months_last_in_a_row(self):
        assert months_before(date(2026, 1, 1), 3) == [
            date(2026, 1, 1),
            date(2025, 12, 1),
            date(2025, 11, 1),
        ]
        assert is_last_throughout([True, True], 2)
        assert not is_last_throughout([True, None], 2)
        assert not is_last_throughout([True, False], 2)

    def test_words_of_proofs(self):
        assert traces("群众满意率", "按期办结率", "设施面积", "回访率") == []
        assert traces("上传截图") == ["上传", "截图"]
