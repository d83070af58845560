import pytest

from tests.facilities.factories import CITY, COMMUNITY, COUNTY, TOWNSHIP


class TestReadDivision:
    async def test_a_division_shows_its_whole_path(self, facilities):
        answer = await facilities.client.get(f"/v1/divisions/{COMMUNITY}")
        assert answer.status_code == 200
        body = answer.json()
        assert body["path"].startswith("山西省/运城市/盐湖区/中城街道/")
        assert body["path"].endswith(body["name"])
        assert [above["code"] for above in body["ancestors"]] == [
            "140000000000", CITY, COUNTY, TOWNSHIP,
        ]  # fmt: skip
        assert body["community_kind"] == "urban_community"
        assert body["valid_until"] is None
        assert "2023-06-30" in body["source"]

    async def test_a_province_has_only_itself(self, facilities):
        body = (await facilities.client.get("/v1/divisions/140000000000")).json()
        assert (body["path"], body["ancestors"], body["parent_code"]) == ("山西省", [], None)

    async def test_an_unknown_code_is_not_found(self, facilities):
        answer = await facilities.client.get("/v1/divisions/229999999999")
        assert (answer.status_code, answer.json()["code"]) == (404, "division-not-found")

    @pytest.mark.parametrize("code", ["1408", "abcdefghijkl", "0".zfill(12)])
    async def test_a_malformed_code_is_refused(self, facilities, code):
        answer = await facilities.client.get(f"/v1/divisions/{code}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")

    async def test_who_has_the_newest_needs_no_body(self, facilities):
        first = await facilities.client.get(f"/v1/divisions/{COMMUNITY}")
        again = await facilities.client.get(
            f"/v1/divisions/{COMMUNITY}", headers={"If-None-Match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    async def test_the_tag_follows_a_change_above(self, bare):
        await bare.fetch(
            "INSERT INTO division (code, name, level, parent_code, source, version, recorded_at) "
            "VALUES ('140000000000', '山西省', 'province', NULL, '', 1, now()), "
            "('140800000000', '运城市', 'city', '140000000000', '', 1, now())"
        )
        first = await bare.client.get("/v1/divisions/140800000000")
        await bare.fetch("UPDATE division SET name = '晋省' WHERE level = 'province'")
        again = await bare.client.get(
            "/v1/divisions/140800000000", headers={"If-None-Match": first.headers["etag"]}
        )
        assert again.status_code == 200
        assert again.json()["path"] == "晋省/运城市"


class TestChildren:
    async def test_counties_of_the_city(self, facilities):
        answer = await facilities.client.get(f"/v1/divisions/{CITY}/children?limit=100")
        body = answer.json()
        assert len(body["items"]) == 13
        assert body["next"] is None
        assert {child["parent_code"] for child in body["items"]} == {CITY}
        assert body["items"][0]["path"] == "山西省/运城市/盐湖区"

    async def test_pages_join_without_gap_or_repeat(self, facilities):
        seen = []
        query = "limit=5"
        while query:
            body = (await facilities.client.get(f"/v1/divisions/{CITY}/children?{query}")).json()
            seen += [child["code"] for child in body["items"]]
            query = f"limit=5&after={body['next']}" if body["next"] else ""
        assert len(seen) == 13
        assert seen == sorted(set(seen))

    async def test_a_village_has_none(self, facilities):
        body = (await facilities.client.get(f"/v1/divisions/{COMMUNITY}/children")).json()
        assert body == {"items": [], "next": None}

    async def test_an_unknown_parent_is_not_found(self, facilities):
        answer = await facilities.client.get("/v1/divisions/229999999999/children")
        assert answer.json()["code"] == "division-not-found"

    async def test_pages_are_tagged(self, facilities):
        url = f"/v1/divisions/{CITY}/children"
        tag = (await facilities.client.get(url)).headers["etag"]
        again = await facilities.client.get(url, headers={"If-None-Match": tag})
        assert again.status_code == 304


class TestFindDivisions:
    async def find(self, facilities, **query):
        answer = await facilities.client.get("/v1/divisions", params={"limit": 100, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def test_by_part_of_the_name(self, facilities):
        found = await self.find(facilities, name="解州")
        assert found
        assert all("解州" in division["name"] for division in found)

    async def test_by_level_within_a_county(self, facilities):
        found = await self.find(facilities, within=COUNTY, level="township")
        assert {division["level"] for division in found} == {"township"}
        assert {division["parent_code"] for division in found} == {COUNTY}

    async def test_by_prefix(self, facilities):
        found = await self.find(facilities, prefix="140802001")
        assert found[0]["code"] == TOWNSHIP
        assert all(division["code"].startswith("140802001") for division in found)

    async def test_by_kind(self, facilities):
        found = await self.find(facilities, within=TOWNSHIP, kind="urban_community")
        assert {division["community_kind"] for division in found} == {"urban_community"}

    @pytest.mark.parametrize("name", ["%", "_", "\\", "'"])
    async def test_signs_of_patterns_are_only_signs(self, facilities, name):
        assert await self.find(facilities, name=name) == []

    async def test_what_was_closed_is_left_out_but_still_answers(self, bare):
        await bare.fetch(
            "INSERT INTO division (code, name, level, source, version, recorded_at, valid_until) "
            "VALUES ('140000000000', '旧省', 'province', '', 1, now(), '2020-01-01')"
        )
        assert await self.find(bare) == []
        answer = await bare.client.get("/v1/divisions/140000000000")
        assert answer.json()["valid_until"] == "2020-01-01"

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=101", "prefix=14x", "level=hamlet", "name=", "within=1408"]
    )
    async def test_bad_questions_are_refused(self, facilities, query):
        answer = await facilities.client.get(f"/v1/divisions?{query}")
        assert answer.status_code == 422

    async def test_a_foreign_cursor_is_refused(self, facilities):
        answer = await facilities.client.get("/v1/divisions?after=AAAA")
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    async def test_text_that_cannot_be_stored_is_refused(self, facilities):
        answer = await facilities.client.get("/v1/divisions?name=%00")
        assert (answer.status_code, answer.json()["code"]) == (422, "unstorable-text")
