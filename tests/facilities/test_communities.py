import asyncio

import pytest

from contracts.facilities import CommunityFiguresRecorded
from services.facilities.communities.rules import FIGURES, missing
from tests.facilities.factories import (
    COMMUNITY,
    COUNTY,
    OTHER_COMMUNITY,
    OTHER_COUNTY,
    TOWNSHIP,
    statistician,
)
from tests.support.tokens import bearer, resident

URL = f"/v1/communities/{COMMUNITY}/figures/2025"


def figures(**overrides):
    values = {
        "households": 1200,
        "residents": 3460,
        "workers": 9,
        "certified_workers": 2,
        "source": "2025年社区统计年报",
    }
    return values | overrides


async def put(facilities, body, *, headers=None, version=None, url=URL):
    headers = headers or statistician()
    if version is not None:
        headers = headers | {"If-Match": f'"{version}"'}
    return await facilities.client.put(url, json=body, headers=headers)


class TestReadCommunity:
    async def test_a_community_nobody_counted(self, facilities):
        answer = await facilities.client.get(f"/v1/communities/{COMMUNITY}")
        body = answer.json()
        assert body["kind"] == "urban_community"
        assert body["path"].startswith("山西省/运城市/盐湖区/中城街道/")
        assert body["latest"] is None
        assert body["years"] == []

    async def test_the_newest_year_is_shown_and_the_others_named(self, facilities):
        await put(facilities, figures())
        await put(facilities, figures(households=1250), url=URL.replace("2025", "2026"))
        await put(facilities, figures(households=1100), url=URL.replace("2025", "2024"))
        body = (await facilities.client.get(f"/v1/communities/{COMMUNITY}")).json()
        assert (body["latest"]["year"], body["latest"]["households"]) == (2026, 1250)
        assert body["years"] == [2026, 2025, 2024]

    async def test_a_new_figure_changes_the_tag(self, facilities):
        url = f"/v1/communities/{COMMUNITY}"
        tag = (await facilities.client.get(url)).headers["etag"]
        unchanged = await facilities.client.get(url, headers={"If-None-Match": tag})
        assert unchanged.status_code == 304
        await put(facilities, figures())
        changed = await facilities.client.get(url, headers={"If-None-Match": tag})
        assert changed.status_code == 200

    @pytest.mark.parametrize("code", [TOWNSHIP, "140899999999"])
    async def test_what_is_no_community_is_not_found(self, facilities, code):
        answer = await facilities.client.get(f"/v1/communities/{code}")
        assert (answer.status_code, answer.json()["code"]) == (404, "community-not-found")


class TestListCommunities:
    async def test_of_a_township_with_their_newest_figures(self, facilities):
        await put(facilities, figures())
        answer = await facilities.client.get(f"/v1/communities?within={TOWNSHIP}&limit=100")
        items = {item["code"]: item for item in answer.json()["items"]}
        assert all(code.startswith("140802001") for code in items)
        assert items[COMMUNITY]["latest"]["households"] == 1200
        assert items[OTHER_COMMUNITY]["latest"] is None

    async def test_by_kind(self, facilities):
        answer = await facilities.client.get(f"/v1/communities?within={COUNTY}&kind=village")
        assert {item["kind"] for item in answer.json()["items"]} == {"village"}

    async def test_pages_join_without_gap_or_repeat(self, facilities):
        seen = []
        query = f"within={TOWNSHIP}&limit=3"
        while True:
            body = (await facilities.client.get(f"/v1/communities?{query}")).json()
            seen += [item["code"] for item in body["items"]]
            if body["next"] is None:
                break
            query = f"within={TOWNSHIP}&limit=3&after={body['next']}"
        whole = await facilities.client.get(f"/v1/communities?within={TOWNSHIP}&limit=100")
        assert seen == [item["code"] for item in whole.json()["items"]]


class TestRecordFigures:
    async def test_the_first_time(self, facilities):
        answer = await put(facilities, figures())
        assert answer.status_code == 201
        assert answer.headers["etag"] == '"1"'
        body = answer.json()
        assert body["year"] == 2025
        assert body["residents"] == 3460
        read = await facilities.client.get(URL)
        assert read.json() == body
        assert read.headers["etag"] == '"1"'

    async def test_what_nobody_counted_is_named_and_never_zero(self, facilities):
        body = (await put(facilities, figures(social_organisations=0))).json()
        assert body["social_organisations"] == 0
        assert body["floor_area_m2"] is None
        assert body["missing"] == ["floor_area_m2", *FIGURES[FIGURES.index("is_resettlement") :]]

    async def test_a_correction_keeps_the_version_before(self, facilities):
        await put(facilities, figures())
        answer = await put(facilities, figures(residents=3500, floor_area_m2=81_250.456), version=1)
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"2"'
        assert answer.json()["floor_area_m2"] == 81_250.46
        versions = (await facilities.client.get(f"{URL}/versions", headers=statistician())).json()
        assert [(entry["version"], entry["residents"]) for entry in versions] == [
            (2, 3500), (1, 3460),
        ]  # fmt: skip
        assert versions[0]["recorded_by_name"] == "统计员"

    async def test_each_version_is_told_with_what_is_missing(self, facilities):
        await put(facilities, figures())
        await put(facilities, figures())
        await put(facilities, figures(residents=None), version=1)
        events = [
            CommunityFiguresRecorded.model_validate(body) for _, body in await facilities.events()
        ]
        assert [(event.revision, event.residents) for event in events] == [(1, 3460), (2, None)]
        assert events[0].figures_key == f"figures:{COMMUNITY}:2025"

    async def test_a_figure_left_out_becomes_missing(self, facilities):
        await put(facilities, figures())
        body = figures()
        del body["workers"]
        changed = (await put(facilities, body, version=1)).json()
        assert changed["workers"] is None
        assert "workers" in changed["missing"]

    async def test_the_same_figures_again_change_nothing(self, facilities):
        await put(facilities, figures())
        answer = await put(facilities, figures())
        assert answer.status_code == 200
        assert answer.json()["version"] == 1
        assert await facilities.count("community_figures_history") == 1

    async def test_a_change_needs_the_version_read(self, facilities):
        await put(facilities, figures())
        unversioned = await put(facilities, figures(residents=1))
        assert (unversioned.status_code, unversioned.json()["code"]) == (428, "version-required")
        stale = await put(facilities, figures(residents=1), version=7)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
        ahead = await put(facilities, figures(), version=1, url=URL.replace("2025", "2024"))
        assert ahead.json()["code"] == "stale-version"
        assert (await facilities.client.get(URL)).json()["residents"] == 3460
        assert await facilities.count("community_figures_history") == 1

    async def test_of_two_at_once_one_loses(self, facilities):
        answers = await asyncio.gather(
            *(put(facilities, figures(residents=3000 + number)) for number in range(4))
        )
        codes = sorted(answer.status_code for answer in answers)
        assert codes[0] == 201
        assert set(codes[1:]) <= {409, 428}
        assert await facilities.count("community_figures_history") == 1

    async def test_of_two_corrections_at_once_one_loses(self, facilities):
        await put(facilities, figures())
        answers = await asyncio.gather(
            *(put(facilities, figures(residents=n), version=1) for n in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert await facilities.count("community_figures_history") == 2

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            (figures(households=-1), "/households"),
            (figures(households=1.5), "/households"),
            (figures(floor_area_m2=-0.1), "/floor_area_m2"),
            (figures(source=""), "/source"),
            (figures(workers=1, certified_workers=2), "/"),
            ({"source": "年报"}, "/"),
            (figures(population=3), "/population"),
            ({"households": 1}, "/source"),
        ],
    )
    async def test_impossible_figures_are_refused(self, facilities, body, path):
        answer = await put(facilities, body)
        assert answer.status_code == 422
        assert [error["path"] for error in answer.json()["errors"]] == [path]
        assert await facilities.count("community_figures") == 0

    @pytest.mark.parametrize("year", ["2099", "1999", "x"])
    async def test_a_year_that_cannot_be_counted_yet_is_refused(self, facilities, year):
        answer = await put(facilities, figures(), url=URL.replace("2025", year))
        assert answer.status_code == 422
        assert await facilities.count("community_figures") == 0

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({}, 401, "unauthenticated"),
            (resident(), 403, "wrong-role"),
            (bearer("facility-manager"), 403, "wrong-role"),
            (statistician(OTHER_COUNTY), 403, "wrong-division"),
            (statistician(OTHER_COMMUNITY), 403, "wrong-division"),
            (bearer("statistician", division=None), 403, "wrong-division"),
        ],
    )
    async def test_who_may_not(self, facilities, headers, status, code):
        answer = await facilities.client.put(URL, json=figures(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await facilities.count("community_figures") == 0

    async def test_the_statistician_of_the_township_may(self, facilities):
        answer = await put(facilities, figures(), headers=statistician(TOWNSHIP))
        assert answer.status_code == 201

    async def test_a_township_has_no_figures(self, facilities):
        answer = await put(facilities, figures(), url=URL.replace(COMMUNITY, TOWNSHIP))
        assert (answer.status_code, answer.json()["code"]) == (404, "community-not-found")


class TestReadFigures:
    async def test_a_year_without_figures(self, facilities):
        answer = await facilities.client.get(URL)
        assert (answer.status_code, answer.json()["code"]) == (404, "figures-not-found")

    async def test_the_history_is_for_statisticians_and_auditors_of_the_division(self, facilities):
        await put(facilities, figures())
        url = f"{URL}/versions"
        assert (await facilities.client.get(url)).status_code == 401
        assert (await facilities.client.get(url, headers=resident())).status_code == 403
        elsewhere = await facilities.client.get(url, headers=statistician(OTHER_COUNTY))
        assert elsewhere.json()["code"] == "wrong-division"
        answer = await facilities.client.get(url, headers=bearer("auditor", division=COUNTY))
        assert len(answer.json()) == 1


def test_missing_names_what_is_absent_and_not_what_is_zero_or_false():
    counted = dict.fromkeys(FIGURES, 0) | {"is_resettlement": False}
    assert missing(counted) == []
    assert missing(counted | {"workers": None}) == ["workers"]
