"""What villages lack, the cheapest way first; ranked; with what residents asked for."""

import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from contracts.evaluation import UnmetNeed, UnmetNeedsListed
from services.facilities.gaps.kinds import Effort, Stock
from services.facilities.gaps.repository import keep_needs
from services.facilities.gaps.rules import gaps_of, rank
from services.facilities.surveys.consumers import keep_survey
from services.facilities.worker import create_worker
from tests.facilities.factories import (
    COMMUNITY,
    COUNTY,
    OTHER_COUNTY,
    TOWNSHIP,
    VILLAGE,
    deliver,
    manager,
    recorded,
    statistician,
    surveyed,
)
from tests.facilities.test_indicators import figures
from tests.support.tokens import resident

TARGETS = {
    "area-per-100-households": 30.0,
    "activity-area-share": 0.6,
    "agent-service-coverage": 1.0,
    "self-service-coverage": 1.0,
    "organisations-per-urban-community": 10.0,
    "deliberation-list-coverage": 1.0,
    "three-lists-coverage": 1.0,
    "survey-coverage": 1.0,
}
FULL = {
    "kind": "urban_community", "households": 1000, "residents": 3000, "floor_area_m2": 50_000,
    "workers": 10, "certified_workers": 2, "social_organisations": 10, "is_resettlement": False,
    "centres": 1, "centre_area": 300, "unmeasured_centres": 0, "largest_centre": 300,
    "measured_area": 300, "activity_area": 180, "centres_without_activity": 0, "timed_centres": 1,
    "full_hours_centres": 1, "terminals": 1, "agent_windows": 1, "cooperatives": 0,
    "largest_square": None, "unmeasured_squares": 0, "has_deliberation_list": None,
    "has_work_list": True, "has_assessment_list": True, "has_seal_list": True,
    "security_members": 3, "has_unified_forms": None, "has_online_service": True,
    "is_surveyed": True,
}  # fmt: skip


def gaps(fact=None, stock=(), office=0.0, targets=None, **changes):
    found = gaps_of(
        FULL | (fact or {}) | changes, stock, office, TARGETS if targets is None else targets
    )
    return {gap.code: gap for gap in found}


class TestRules:
    def test_a_community_that_has_everything_lacks_nothing(self):
        assert gaps() == {}

    def test_a_place_in_repair_is_cheaper_than_one_to_build(self):
        none = {"centres": 0, "largest_centre": None, "centre_area": 0, "measured_area": 0,
                "activity_area": 0, "timed_centres": 0, "full_hours_centres": 0}  # fmt: skip
        school = Stock("旧小学", "open", False, 400, False)
        shut = Stock("服务中心", "repair", True, 300, False)
        ways = [
            gaps(none, stock=stock)["no-centre"].way for stock in ([], [school], [school, shut])
        ]
        assert [way.code for way in ways] == ["build-centre", "convert", "reopen"]
        assert [way.effort for way in ways] == [Effort.build, Effort.reuse, Effort.rearrange]

    def test_says_by_how_much_it_is_short(self):
        short = gaps(households=2000, activity_area=100)
        assert (short["area-short"].short_by, short["area-short"].unit) == (300, "m2")
        assert short["activity-area-short"].short_by == 80
        assert short["activity-area-short"].way.code == "extend-activity"
        assert (
            gaps(activity_area=100, office=90)["activity-area-short"].way.code
            == "give-office-space"
        )

    def test_without_a_target_nothing_is_short_of_it(self):
        assert gaps(households=9000, activity_area=0, terminals=0, targets={}) == {}

    def test_lists_and_duties_that_are_known_to_be_missing_are_named(self):
        absent = gaps(has_seal_list=False, has_work_list=None, security_members=1,
                      has_online_service=False, is_surveyed=False)  # fmt: skip
        assert set(absent) == {
            "figures-missing", "lists-missing", "few-security-members", "no-online-service",
            "not-surveyed",
        }  # fmt: skip
        assert absent["lists-missing"].words == "没有建立印章使用清单"
        assert absent["few-security-members"].short_by == 2
        village = gaps(kind="village", has_deliberation_list=False, has_unified_forms=False,
                       largest_centre=300, largest_square=1000)  # fmt: skip
        assert set(village) == {"no-deliberation-list", "forms-not-unified"}

    def test_what_is_unknown_is_to_be_recorded_and_not_a_shortage(self):
        unknown = gaps(households=None, social_organisations=None, unmeasured_centres=1)
        assert set(unknown) == {"figures-missing", "areas-missing"}
        assert {gap.way.effort for gap in unknown.values()} == {Effort.record}

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5000)), min_size=2))
    def test_more_asked_for_comes_first(self, villages):
        lacking = list(gaps(terminals=0).values())
        ordered = sorted(villages, key=lambda one: rank(lacking, one[1], one[0]))
        assert [asked for asked, _ in ordered] == sorted(
            (asked for asked, _ in villages), reverse=True
        )


class TestList:
    async def ask(self, service, within=COUNTY, headers=None, **parameters):
        values = {"within": within, "limit": 100} | parameters
        return await service.client.get(
            "/v1/gaps", params=values, headers=headers or statistician()
        )

    async def test_closing_a_gap_takes_it_off_the_list(self, counted):
        await figures(counted, VILLAGE, social_organisations=5, is_resettlement=False,
                      has_deliberation_list=True, has_work_list=True, has_assessment_list=True,
                      has_seal_list=True, security_members=5, has_unified_forms=True,
                      has_online_service=True)  # fmt: skip
        await deliver(counted, keep_survey, surveyed(VILLAGE))
        body = (await self.ask(counted, VILLAGE)).json()
        (village,) = body["items"]
        assert [gap["code"] for gap in village["gaps"]] == [
            "no-cooperative",
            "no-centre",
            "square-short",
        ]
        await recorded(counted, division_code=VILLAGE, facility_type="supply-cooperative")
        (village,) = (await self.ask(counted, VILLAGE)).json()["items"]
        assert [gap["code"] for gap in village["gaps"]] == ["no-centre", "square-short"]
        assert village["gaps"][0]["way"]["words"] == "利用“中城社区党群服务中心”，一室多用"
        assert village["gaps"][0]["indicators"] == [
            "rural-facility-coverage",
            "village-facility-coverage",
        ]

    async def test_is_ranked_and_paged(self, counted):
        await figures(counted, COMMUNITY, residents=9000)
        first = (await self.ask(counted, TOWNSHIP, limit=1)).json()
        assert first["items"][0]["division_code"] == COMMUNITY
        rest = (await self.ask(counted, TOWNSHIP, after=first["next"])).json()
        ranks = [item["rank"] for item in first["items"] + rest["items"]]
        assert ranks == list(range(1, first["communities"] - first["without_gaps"] + 1))
        assert rest["next"] is None

    async def test_as_a_spreadsheet(self, counted):
        url = f"/v1/gaps/table.xlsx?within={VILLAGE}"
        answer = await counted.client.get(url, headers=statistician())
        rows = list(load_workbook(io.BytesIO(answer.content)).worksheets[0].values)
        assert rows[0][:3] == ("次序", "区划代码", "名称")
        assert {row[1] for row in rows[1:]} == {VILLAGE}

    @pytest.mark.parametrize(
        ("headers", "within", "status", "code"),
        [
            (resident(), COUNTY, 403, "wrong-role"),
            (statistician(OTHER_COUNTY), COUNTY, 403, "wrong-division"),
            (manager("140000000000"), "140000000000", 400, "area-too-wide"),
            (manager("140000000000"), "140899999999", 404, "division-not-found"),
        ],
    )
    async def test_is_for_those_who_plan_there(self, counted, headers, within, status, code):
        answer = await self.ask(counted, within, headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def listed(*, at=None, **counts):
    now = at or datetime.now(UTC)
    need = UnmetNeed(
        topic="老年食堂", division_code=VILLAGE, kind="facility",
        **({"searches": 7, "wishes": 2, "refusals": 0} | counts),
    )  # fmt: skip
    return UnmetNeedsListed(
        list_id=uuid4(), division_code=COUNTY, month=now.date().replace(day=1), needs=(need,),
        occurred_at=now,
    )  # fmt: skip


class TestEvidence:
    async def keep(self, service, *events):
        for event in events:
            async with service.database.transaction() as session:
                await keep_needs(session, event)

    async def first(self, service):
        answer = await service.client.get(
            f"/v1/gaps?within={COUNTY}&limit=1", headers=statistician()
        )
        return answer.json()["items"][0]

    async def test_what_residents_did_not_find_puts_their_village_first(self, counted):
        assert (await self.first(counted))["division_code"] != VILLAGE
        await self.keep(counted, listed())
        village = await self.first(counted)
        assert (village["division_code"], village["asked_for"]) == (VILLAGE, 9)
        assert village["evidence"][0]["topic"] == "老年食堂"

    async def test_twice_or_out_of_order_the_newest_list_stands(self, counted):
        now = datetime.now(UTC)
        newer, older = listed(searches=4, at=now), listed(searches=40, at=now - timedelta(hours=1))
        await self.keep(counted, newer, older, newer)
        assert (await self.first(counted))["asked_for"] == 6
        assert await counted.count("unmet_need") == 1

    async def test_old_evidence_counts_no_longer(self, counted):
        await self.keep(counted, listed(at=datetime.now(UTC) - timedelta(days=500)))
        assert (await self.first(counted))["evidence"] == []

    def test_the_worker_listens(self, counted):
        groups = {one.group: one for one in create_worker(counted.settings).subscriptions}
        assert UnmetNeedsListed in groups["facilities.needs"].handlers
