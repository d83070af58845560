"""Indicators by what others tell and what is counted by hand: surveys, lists, duties, towns."""

from contracts.evaluation import CommunitySurveyed
from services.facilities.surveys.consumers import keep_survey
from services.facilities.worker import create_worker
from tests.facilities.factories import (
    COMMUNITY,
    COUNTY,
    OTHER_COMMUNITY,
    TOWNSHIP,
    VILLAGE,
    deliver,
    recorded,
    surveyed,
)
from tests.facilities.test_indicators import TOWN, figures, sums, values, wrong


class TestSurveys:
    async def coverage(self, service, division=COUNTY):
        (found,) = await values(service, division, "survey-coverage")
        return found["numerator"]

    async def test_the_newest_state_counts_whenever_it_comes_and_however_often(self, counted):
        for event in (surveyed(VILLAGE, revision=2), surveyed(VILLAGE, is_covered=False)):
            await deliver(counted, keep_survey, event, times=2)
        assert [await self.coverage(counted, code) for code in (VILLAGE, COUNTY)] == [1, 1]
        await deliver(counted, keep_survey, surveyed(VILLAGE, is_covered=False, revision=3))
        assert await self.coverage(counted) == 0
        assert await wrong(counted) == 0

    async def test_last_year_counts_until_this_years_survey_and_the_year_before_no_longer(
        self, counted
    ):
        await deliver(counted, keep_survey, surveyed(VILLAGE, -1))
        await deliver(counted, keep_survey, surveyed(VILLAGE, 0, is_covered=False))
        await deliver(counted, keep_survey, surveyed(COMMUNITY, -2))
        await deliver(counted, keep_survey, surveyed("140899999201"))  # nowhere we know
        assert await self.coverage(counted) == 1
        assert await wrong(counted) == 0

    def test_the_worker_listens(self, counted):
        groups = {one.group: one for one in create_worker(counted.settings).subscriptions}
        assert CommunitySurveyed in groups["facilities.surveys"].handlers


class TestFiguresByHand:
    async def test_lists_and_duties_are_counted_where_they_are_known(self, counted):
        await figures(counted, VILLAGE, has_deliberation_list=True, security_members=2,
                      has_unified_forms=False, has_work_list=True, has_seal_list=False)  # fmt: skip
        await figures(counted, COMMUNITY, has_deliberation_list=True, has_work_list=True,
                      has_assessment_list=True, has_seal_list=True, security_members=3)  # fmt: skip
        await figures(counted, OTHER_COMMUNITY, has_work_list=True, has_online_service=True)
        found = {
            code: (one["numerator"], one["denominator"])
            for code in (
                "deliberation-list-coverage", "three-lists-coverage", "security-committee-met",
                "unified-forms-share", "online-service-share",
            )
            for one in await values(counted, COUNTY, code)
        }  # fmt: skip
        assert found == {
            "deliberation-list-coverage": (1, 1),
            "three-lists-coverage": (1, 2),
            "security-committee-met": (1, 2),
            "unified-forms-share": (0, 1),
            "online-service-share": (1, 1),
        }
        (lists,) = await values(counted, COUNTY, "three-lists-coverage")
        total = await sums(counted, COUNTY)
        assert lists["missing"] == total["communities"] - 2
        assert await wrong(counted) == 0

    async def test_a_town_has_a_cooperative_of_its_own_and_a_subdistrict_is_no_town(self, counted):
        (before,) = await values(counted, COUNTY, "township-cooperative-coverage")
        for number, code in enumerate((VILLAGE, TOWN, TOWNSHIP)):
            await recorded(counted, name=f"综合服务社{number}", division_code=code,
                           facility_type="supply-cooperative")  # fmt: skip
        (after,) = await values(counted, COUNTY, "township-cooperative-coverage")
        assert (before["numerator"], after["numerator"]) == (0, 1)
        towns = await counted.fetch(
            "SELECT count(*) AS n FROM division WHERE level = 'township' AND parent_code = $1 "
            "AND name ~ '[镇乡]$'", COUNTY,
        )  # fmt: skip
        assert after["denominator"] == before["denominator"] == towns[0]["n"]
        (village,) = await values(counted, VILLAGE, "township-cooperative-coverage")
        assert village["value"] is None
        assert await wrong(counted) == 0
