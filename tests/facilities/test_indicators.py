"""Indicators follow every change, for every division, and equal a full recount."""

import asyncio
import io
import time
from dataclasses import asdict
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from servicekit.paging import encode_cursor
from services.facilities.indicators import history, past, repository, service
from services.facilities.indicators.rules import FORMULAS, compute
from services.facilities.models import INDICATOR_SUM, MEASURES
from services.facilities.surveys.consumers import keep_survey
from tests.facilities.factories import (
    CITY,
    COMMUNITY,
    COUNTY,
    OTHER_COMMUNITY,
    OTHER_COUNTY,
    TOWNSHIP,
    VILLAGE,
    deliver,
    manager,
    recorded,
    statistician,
    surveyed,
    workdays,
)
from tests.support.tokens import bearer, resident

PROVINCE = "140000000000"
TOWN = "140802100000"
PLACES = (COMMUNITY, OTHER_COMMUNITY, VILLAGE, TOWNSHIP, TOWN)
CENTRE = "party-mass-service-centre"


async def sums(service, code):
    async with service.database.reading() as session:
        return (await repository.find_sums(session, [code]))[code]


async def wrong(service):
    async with service.database.reading() as session:
        return await repository.count_wrong(session, ("140000000000", "149999999999"))


async def figures(service, code, year=2025, **values):
    body = {"source": "2025年社区统计年报", **values}
    url = f"/v1/communities/{code}/figures/{year}"
    current = await service.client.get(url)
    headers = statistician()
    if current.status_code == 200:
        headers |= {"If-Match": current.headers["etag"]}
    answer = await service.client.put(url, json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text


async def values(service, division, *codes):
    answer = await service.client.get("/v1/indicators/values", params={"division": division})
    found = {one["indicator"]: one for one in answer.json()["values"]}
    return [found[code] for code in codes]


areas = st.none() | st.integers(0, 900)
steps = st.one_of(
    st.tuples(
        st.just("add"),
        st.sampled_from(PLACES),
        st.sampled_from((CENTRE, "culture-square", "supply-cooperative", "self-service-terminal")),
        areas,
        st.sampled_from(("open", "planned")),
    ),
    st.tuples(st.just("move"), st.integers(0, 9), st.sampled_from(PLACES)),
    st.tuples(st.just("resize"), st.integers(0, 9), areas),
    st.tuples(st.just("step"), st.integers(0, 9)),
    st.tuples(
        st.just("count"),
        st.sampled_from(PLACES[:3]),
        st.integers(2024, 2026),
        st.dictionaries(
            st.sampled_from(
                ("households", "residents", "security_members", "social_organisations")
            ),
            st.integers(0, 5000),
            min_size=1,
        ),
        st.dictionaries(
            st.sampled_from(
                ("has_deliberation_list", "has_work_list", "has_assessment_list", "has_seal_list")
            ),
            st.booleans(),
        ),
    ),
    st.tuples(
        st.just("survey"),
        st.sampled_from(PLACES[:3]),
        st.integers(-2, 0),
        st.booleans(),
        st.integers(1, 3),
    ),
)


class TestIncremental:
    @settings(
        max_examples=6,
        phases=[Phase.generate],  # each step is several requests: shrinking takes minutes
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(st.lists(steps, min_size=4, max_size=10))
    async def test_equals_a_full_recount_after_any_changes(self, counted, taken):
        made: list[dict[str, Any]] = []
        gone_by = []
        for number, (kind, *arguments) in enumerate(taken):
            if number % 3 == 2:
                gone_by.append(await counted_anew(counted))
                await _let_a_month_pass(counted)
            if kind == "add":
                division, what, area, state = arguments
                made.append(
                    await recorded(
                        counted,
                        name=f"场所{len(made)}号{id(taken)}{await counted.count('facility')}",
                        division_code=division,
                        facility_type=what,
                        total_area_m2=area,
                        activity_area_m2=area and area / 2,
                        office_area_m2=None,
                        state=state,
                    )
                )
            elif kind == "count":
                code, year, known, lists = arguments
                await figures(counted, code, year, **known, **lists)
            elif kind == "survey":
                await deliver(counted, keep_survey, surveyed(*arguments), times=2)
            elif made:
                await _change(counted, made[arguments[0] % len(made)], kind, arguments[1:])
        assert await wrong(counted) == 0
        await _matches_a_count_by_hand(counted)
        await _remembers(counted, [*gone_by, await counted_anew(counted)])

    async def test_a_wrong_sum_is_found_and_mended(self, counted):
        await counted.fetch(
            "UPDATE indicator_sum SET villages = villages + 1 WHERE code = $1", CITY
        )
        assert await wrong(counted) == 1
        async with counted.database.transaction() as session:
            assert await service.mend(session, PROVINCE) == 1
        assert await wrong(counted) == 0

    async def test_a_community_that_ended_is_counted_no_longer(self, counted):
        before = await sums(counted, COUNTY)
        await counted.fetch(
            "UPDATE division SET valid_until = '2026-01-01' WHERE code = $1", VILLAGE
        )
        await _let_a_month_pass(counted)
        try:
            async with counted.database.transaction() as session:
                assert (
                    await service.mend(session, PROVINCE) == 5
                )  # the village and the four above it
            assert (await sums(counted, COUNTY))["villages"] == before["villages"] - 1
            url = f"/v1/indicators/rural-facility-coverage/history?division={VILLAGE}"
            (month,) = (await counted.client.get(url)).json()[
                "months"
            ]  # last month, no longer this
            assert (month["denominator"], month["value"]) == (1, 0)
        finally:
            await counted.fetch("UPDATE division SET valid_until = NULL WHERE code = $1", VILLAGE)

    async def test_changes_at_the_same_moment_all_count(self, counted):
        await asyncio.gather(
            *(
                recorded(counted, name=f"服务中心{number}", division_code=code)
                for number, code in enumerate([COMMUNITY, OTHER_COMMUNITY, VILLAGE] * 3)
            ),
            *(
                figures(counted, code, households=1000 + number)
                for number, code in enumerate([COMMUNITY, VILLAGE])
            ),
        )
        assert await wrong(counted) == 0
        assert (await sums(counted, CITY))["covered_urban"] == 2

    async def test_a_refused_change_moves_nothing(self, counted):
        before = await sums(counted, CITY)
        bad = {"name": "服务中心", "facility_type": CENTRE, "division_code": COMMUNITY,
               "address": "解放路 1 号", "state": "open", "total_area_m2": 10, "activity_area_m2": 20}  # fmt: skip
        answer = await counted.client.post("/v1/facilities", json=bad, headers=manager())
        assert answer.status_code == 422
        assert await sums(counted, CITY) == before


async def counted_anew(service):
    """What each community of `PLACES` adds, counted of everything that is recorded of it."""
    async with service.database.reading() as session:
        return {code: await repository.measure_with(session, code, []) for code in PLACES[:3]}


async def _let_a_month_pass(service):
    """As if everything until now had been a month ago: what is kept of it becomes older."""
    await service.fetch("UPDATE indicator_sum SET since = since - interval '1 month'")
    # By way of long ago: two rows of a community are never at the same month.
    for by in ("- interval '1000 years 1 month'", "+ interval '1000 years'"):
        await service.fetch(f"UPDATE indicator_past SET since = since {by}, until = until {by}")


async def _remembers(running, months):
    """Every indicator of every month is what a full count had at that month's end."""
    last = service.this_month()
    expected = [past.next_month(last, number - len(months) + 1) for number in range(len(months))]
    async with running.database.reading() as session:
        for one in await service.all_counted(session):
            for code in PLACES[:3]:
                told = await history.history_of(
                    session, one.definition.code, code, months=len(months)
                )
                assert [month.month for month in told.months] == expected
                found = [
                    month.model_dump(exclude={"month", "recorded_at"}) for month in told.months
                ]
                counted = [compute(FORMULAS[one.formula], sums[code]) for sums in months]
                assert found == [asdict(each) for each in counted], one.definition.code


async def _change(service, made, kind, arguments):
    url = f"/v1/facilities/{made['id']}"
    current = await service.client.get(url)
    headers = manager() | {"If-Match": current.headers["etag"]}
    if kind == "step":
        actions = current.json()["possible_actions"]
        answer = await service.client.post(
            f"{url}/transitions", json={"action": actions[-1], "note": "按计划"}, headers=headers
        )
    else:
        body = {"division_code": arguments[0]}
        if kind == "resize":
            body = {"total_area_m2": arguments[0], "activity_area_m2": None}
        answer = await service.client.patch(url, json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def _matches_a_count_by_hand(service):
    """Some measures of the county once more, in Python, from the tables."""
    places = await service.fetch("SELECT * FROM facility WHERE state = 'open'")
    rows = await service.fetch("SELECT * FROM community_figures ORDER BY year")
    newest = {row["community_code"]: row for row in rows}
    centres: dict[str, list[float | None]] = {}
    for place in places:
        if place["facility_type"] == CENTRE:
            centres.setdefault(place["division_code"], []).append(place["total_area_m2"])
    urban = [COMMUNITY, OTHER_COMMUNITY]
    known = [
        code
        for code in urban
        if code in newest and newest[code]["households"] is not None
        and None not in centres.get(code, [])
    ]  # fmt: skip
    found = await sums(service, COUNTY)
    assert found["covered_urban"] == sum(code in centres for code in urban)
    assert found["covered_villages"] == (VILLAGE in centres)
    assert found["households"] == sum(newest[code]["households"] for code in known)
    assert found["centre_area"] == sum(
        area for code in known for area in centres.get(code, []) if area
    )
    assert found["security_counted"] == sum(
        row["security_members"] is not None for row in newest.values()
    )
    lists = [
        [newest[code][name] for name in ("has_work_list", "has_assessment_list", "has_seal_list")]
        for code in newest
    ]
    assert found["listed_communities"] == sum(all(one) for one in lists)
    assert found["lists_counted"] == sum(all(one) or False in one for one in lists)
    asked = await service.fetch(
        "SELECT DISTINCT division_code FROM community_survey WHERE is_covered AND year >= $1",
        date.today().year - 1,  # noqa: DTZ011 - the tests do not run over New Year
    )
    assert found["surveyed_communities"] == len(asked)
    pairs = {(place["facility_type"], place["division_code"]) for place in places}
    assert found["cooperative_townships"] == int(("supply-cooperative", TOWN) in pairs)
    assert found["cooperative_villages"] == int(("supply-cooperative", VILLAGE) in pairs)


class TestValues:
    async def test_what_nobody_counted_is_missing_and_never_zero(self, counted):
        await recorded(counted)
        (area,) = await values(counted, TOWNSHIP, "area-per-100-households")
        urban = (await sums(counted, TOWNSHIP))["urban_communities"]
        assert (area["value"], area["missing"], area["is_met"]) == (None, urban, None)
        await figures(counted, COMMUNITY, households=1500)
        (area,) = await values(counted, TOWNSHIP, "area-per-100-households")
        assert (area["numerator"], area["denominator"], area["value"]) == (600, 1500, 40)
        assert (area["missing"], area["is_met"]) == (urban - 1, True)
        assert area["base"]["year"] == 2022

    async def test_a_place_inside_another_is_not_counted_twice(self, counted):
        host = await recorded(counted)
        await recorded(counted, name="便民服务中心", host_id=host["id"], total_area_m2=200,
                       activity_area_m2=None, office_area_m2=None)  # fmt: skip
        await figures(counted, COMMUNITY, households=1500)
        (area,) = await values(counted, COUNTY, "area-per-100-households")
        assert area["numerator"] == 600

    async def test_a_place_open_for_less_than_eight_hours_is_not_full(self, counted):
        short = workdays() | {"saturday": [{"opens": "09:00", "closes": "12:00"}]}
        await recorded(counted, weekly_hours=short)
        await recorded(counted, name="另一个中心")
        await recorded(counted, name="没有登记时间的中心", weekly_hours=None)
        (full,) = await values(counted, COUNTY, "full-hours-share")
        assert (full["numerator"], full["denominator"], full["missing"]) == (1, 2, 1)

    async def test_an_unknown_division_or_indicator_is_not_found(self, counted):
        for url in (
            "/v1/indicators/values?division=140899999999",
            "/v1/indicators/table?within=140899999999&level=community",
            "/v1/indicators/no-such/history?division=140802000000",
            "/v1/indicators/no-such/chart",
        ):
            assert (await counted.client.get(url)).status_code == 404, url

    async def test_the_definitions_name_formula_base_target_and_source(self, counted):
        listed = (await counted.client.get("/v1/indicators")).json()
        first = listed[0]
        assert (first["numerator"], first["denominator"]) == ("covered_villages", "villages")
        assert {mark["region"] for mark in first["bases"]} == {None, CITY}
        assert all(one["numerator"] in MEASURES and one["source"] for one in listed)


class TestTable:
    async def test_drills_down_from_the_city_to_the_village(self, counted):
        await recorded(counted, division_code=VILLAGE)
        within, names = CITY, []
        for level in ("county", "township", "community"):
            url = f"/v1/indicators/table?within={within}&level={level}&limit=100"
            body = (await counted.client.get(url + "&indicator=rural-facility-coverage")).json()
            assert set(body["total"]["cells"]) == {"rural-facility-coverage"}
            parts = [row["cells"]["rural-facility-coverage"] for row in body["items"]]
            total = body["total"]["cells"]["rural-facility-coverage"]
            for name in ("numerator", "denominator", "missing"):
                assert sum(part[name] for part in parts) == total[name]
            (row,) = [
                row for row in body["items"] if row["cells"]["rural-facility-coverage"]["numerator"]
            ]
            within = row["division_code"]
            names.append(row["name"])
        assert within == VILLAGE
        assert names[:2] == ["盐湖区", "解州镇"]

    async def test_pages_follow_each_other(self, counted):
        url = f"/v1/indicators/table?within={CITY}&level=county&limit=5"
        first = (await counted.client.get(url)).json()
        second = (await counted.client.get(f"{url}&after={first['next']}")).json()
        assert second["total"] is None
        assert first["items"][-1]["division_code"] < second["items"][0]["division_code"]

    async def test_a_cursor_of_somebody_else_is_refused(self, counted):
        for cursor in ("WyJcdTAwMDAiXQ", "bm9uZQ", encode_cursor(7)):
            answer = await counted.client.get(f"/v1/indicators/table?after={cursor}")
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    async def test_a_level_above_the_division_is_refused(self, counted):
        answer = await counted.client.get(f"/v1/indicators/table?within={CITY}&level=province")
        assert (answer.status_code, answer.json()["code"]) == (400, "level-too-high")

    async def test_as_a_spreadsheet(self, counted):
        await recorded(counted)
        answer = await counted.client.get(f"/v1/indicators/table.xlsx?within={CITY}&level=county")
        sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
        rows = list(sheet.iter_rows(values_only=True))
        assert rows[0][:3] == ("区划代码", "名称", "农村社区综合服务设施覆盖率（%）")
        assert (rows[1][1], rows[2][1]) == ("运城市", "盐湖区")
        assert len(rows) == 2 + 13
        urban = rows[0].index("城市社区综合服务设施覆盖率（%）")
        assert rows[2][urban] == pytest.approx(100 / 77, abs=0.01)
        assert rows[2][rows[0].index("每百户居民拥有社区综合服务设施面积（平方米/百户）")] in (
            None,
            "",
        )

    async def test_as_a_chart(self, counted):
        await recorded(counted)
        url = f"/v1/indicators/urban-facility-coverage/chart?within={CITY}&level=county"
        chart = (await counted.client.get(url)).json()
        assert (chart["kind"], chart["categories"][0]) == ("bar", "盐湖区")
        assert chart["series"][0]["values"][0] == pytest.approx(1 / 77)
        assert chart["target"]["value"] == 1


class TestHistory:
    async def test_a_month_gone_by_stays_and_the_present_one_follows(self, counted):
        october, november = date(2026, 10, 1), date(2026, 11, 1)
        async with counted.database.transaction() as session:
            await history.record_month(session, october)
        await recorded(counted)
        for _ in range(2):
            async with counted.database.transaction() as session:
                changed = await history.record_month(session, november)
        assert changed == 0
        url = f"/v1/indicators/urban-facility-coverage/history?division={COUNTY}"
        body = (await counted.client.get(url)).json()
        assert [month["month"] for month in body["months"]] == ["2026-10-01", "2026-11-01"]
        assert [month["value"] for month in body["months"]] == [0, pytest.approx(1 / 77)]
        assert body["chart"]["categories"] == ["2026-10", "2026-11"]

    async def test_the_worker_mends_the_sums_and_writes_the_month_down(self, facilities):
        job = asyncio.create_task(history.job(facilities.database))
        deadline = time.monotonic() + 30
        try:
            while await facilities.count("indicator_month") == 0:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        finally:
            job.cancel()
            await asyncio.wait([job])
        assert await wrong(facilities) == 0
        assert (await sums(facilities, CITY))["villages"] == 2164

    async def test_counties_and_above_are_told_once_for_each_change(self, counted):
        async with counted.database.transaction() as session:
            await history.record_month(session, date(2026, 11, 1))
        await counted.fetch("DELETE FROM outbox_message")
        await recorded(counted, facility_type="supply-cooperative", division_code=VILLAGE)
        async with counted.database.transaction() as session:
            await history.record_month(session, date(2026, 11, 1))
        told = {
            body["division_code"]: body
            for kind, body in await counted.events()
            if kind.endswith("indicator-computed.v1")
        }
        assert set(told) == {"140000000000", CITY, COUNTY}
        assert told[COUNTY]["indicator_key"] == f"{COUNTY}:cooperative-coverage:2026-11"
        assert (told[COUNTY]["revision"], told[COUNTY]["numerator"]) == (2, 1)


PLAN = {"division_code": VILLAGE, "add": [{"facility_type": CENTRE, "total_area_m2": 300}]}


class TestWhatIf:
    async def ask(self, service, body, headers):
        return await service.client.post("/v1/indicators/what-if", json=body, headers=headers)

    async def test_says_what_would_move_at_every_level_and_writes_nothing(self, counted):
        before = await sums(counted, CITY)
        answer = await self.ask(counted, PLAN, statistician())
        assert answer.status_code == 200, answer.text
        divisions = answer.json()["divisions"]
        assert [one["name"] for one in divisions][1:] == ["解州镇", "盐湖区", "运城市", "山西省"]
        village = {move["indicator"]: move for move in divisions[0]["moves"]}
        assert set(village) == {
            "rural-facility-coverage",
            "village-facility-coverage",
            "rural-centre-area-met",
        }
        coverage = village["rural-facility-coverage"]
        assert (coverage["before"], coverage["after"], coverage["is_met"]) == (0, 1, True)
        assert await sums(counted, CITY) == before
        assert await counted.count("facility") == 0

    async def test_tells_what_then_really_happens(self, counted):
        answer = await self.ask(counted, PLAN, statistician())
        county = next(one for one in answer.json()["divisions"] if one["division_code"] == COUNTY)
        await recorded(counted, division_code=VILLAGE, total_area_m2=300, activity_area_m2=None,
                       office_area_m2=None, weekly_hours=None)  # fmt: skip
        for move in county["moves"]:
            (value,) = await values(counted, COUNTY, move["indicator"])
            assert value["value"] == pytest.approx(move["after"])

    async def test_is_for_planners_of_the_division(self, counted):
        assert (await self.ask(counted, PLAN, {})).status_code == 401
        assert (await self.ask(counted, PLAN, resident())).json()["code"] == "wrong-role"
        outside = await self.ask(counted, PLAN, statistician(OTHER_COUNTY))
        assert outside.json()["code"] == "wrong-division"
        auditor = bearer("auditor", division=COUNTY)
        assert (await self.ask(counted, PLAN, auditor)).status_code == 200

    async def test_bad_plans_are_named(self, counted):
        for change, code in (
            ({"division_code": TOWNSHIP}, "not-a-community"),
            ({"add": [{"facility_type": "no-such-type"}]}, "type-unknown"),
            ({"add": [{"facility_type": CENTRE, "activity_area_m2": 5}]}, "invalid-request"),
            ({"add": []}, "invalid-request"),
        ):
            answer = await self.ask(counted, PLAN | change, statistician())
            assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_measures_are_numeric_so_that_taking_away_leaves_no_trace():
    assert {str(INDICATOR_SUM.c[name].type) for name in MEASURES} == {"NUMERIC(18, 2)"}
