import io
import tarfile

import pytest

from services.facilities.divisions import bulk, national
from services.facilities.divisions.service import DivisionsRefused
from services.facilities.indicators import service as indicators

FILES = {
    "provinces.csv": "code,name\n14,山西省\n44,广东省\n",
    "cities.csv": "code,name,provinceCode\n1408,运城市,14\n4419,东莞市,44\n",
    "areas.csv": "code,name,cityCode,provinceCode\n140802,盐湖区,1408,14\n441900,东莞市,4419,44\n",
    "streets.csv": "code,name,areaCode,provinceCode,cityCode\n"
    "140802100,解州镇,140802,14,1408\n441900003,东城街道,441900,44,4419\n",
    "villages.csv": "code,name,streetCode,provinceCode,cityCode,areaCode\n"
    "140802100200,常平村委会,140802100,14,1408,140802\n"
    "140802100001,东村民委员会,140802100,14,1408,140802\n"
    "441900003001,岗贝社区居民委员会,441900003,44,4419,441900\n",
}


def package(directory, **changes):
    path = directory / "list.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (FILES | changes).items():
            if text is not None:
                data = text.encode()
                member = tarfile.TarInfo(f"package/dist/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


async def load(service, path, *serve):
    async with service.database.transaction() as session:
        return await bulk.load(
            session,
            national.read(path),
            source="测试",
            serve=serve,
            progress=lambda _: None,
        )


async def told(service):
    return [body["code"] for _, body in await service.events()]


class TestRead:
    def test_a_city_without_counties_stands_once(self, tmp_path):
        rows = {row.code: row for row in national.read(package(tmp_path))}
        assert len(rows) == 10
        assert rows["441900000000"].level == "city"
        assert rows["441900003000"].parent_code == "441900000000"
        assert rows["441900003001"].community_kind == "urban_community"
        assert rows["140802100200"].community_kind == "village"

    def test_an_archive_that_is_not_the_package_is_named(self, tmp_path):
        with pytest.raises(national.PackageUnusable, match=r"no streets\.csv"):
            list(national.read(package(tmp_path, **{"streets.csv": None})))
        torn = tmp_path / "torn.tgz"
        torn.write_bytes(package(tmp_path).read_bytes()[:200])
        with pytest.raises(national.PackageUnusable):
            list(national.read(torn))


class TestLoad:
    async def test_all_is_kept_and_only_the_served_subtree_is_told(self, bare, tmp_path):
        report = await load(bare, package(tmp_path), "140800000000")
        assert (report.read, report.changed, report.published) == (10, 10, 6)
        assert report.shown_warnings == ["140802100001 东村民委员会: numbered as 居委会"]
        assert await told(bare) == [
            "140000000000", "140800000000", "140802000000",
            "140802100000", "140802100200", "140802100001",
        ]  # fmt: skip
        assert await bare.count("community") == 3
        answer = await bare.client.get("/v1/divisions/by-path?name=东莞东城街道岗贝社区")
        assert [entry["code"] for entry in answer.json()] == ["441900003001"]

    async def test_again_nothing_changes_and_a_wider_service_tells_the_rest(self, bare, tmp_path):
        await load(bare, package(tmp_path), "140800000000")
        again = await load(bare, package(tmp_path), "140800000000")
        assert (again.changed, again.published) == (0, 0)
        wider = await load(bare, package(tmp_path), "440000000000")
        assert (wider.changed, wider.published) == (4, 4)
        assert len(await told(bare)) == 10

    async def test_what_was_told_before_is_told_when_it_changes(self, bare, tmp_path):
        await load(bare, package(tmp_path), "140800000000")
        renamed = FILES["streets.csv"].replace("解州镇", "解州古镇镇").replace("东城", "新城")
        report = await load(bare, package(tmp_path, **{"streets.csv": renamed}))
        assert (report.changed, report.published) == (2, 1)
        assert (await told(bare))[-1] == "140802100000"

    async def test_what_the_list_leaves_out_stays_and_is_counted(self, bare, tmp_path):
        await load(bare, package(tmp_path))
        short = "".join(FILES["villages.csv"].splitlines(keepends=True)[:-1])
        report = await load(bare, package(tmp_path, **{"villages.csv": short}))
        assert (report.unlisted, await bare.count("division")) == (1, 10)

    @pytest.mark.parametrize(
        ("name", "line", "reason"),
        [
            ("villages.csv", "140802100200,又一村,140802100,14,1408,140802\n", "listed twice"),
            ("villages.csv", "140899100200,孤村,140899100,14,1408,140899\n", "orphan"),
            ("villages.csv", "140802100203,错村,441900003,14,1408,140802\n", "does not lie below"),
            ("villages.csv", "140802100204,,140802100,14,1408,140802\n", "no name"),
            ("villages.csv", "14080210020x,坏村,140802100,14,1408,140802\n", "not 12 digits"),
            ("cities.csv", "140801,过长,14\n", "contradicts the code"),
        ],
    )
    async def test_a_bad_row_stops_the_whole_list(self, bare, tmp_path, name, line, reason):
        path = package(tmp_path, **{name: FILES[name] + line})
        with pytest.raises(DivisionsRefused, match=reason):
            await load(bare, path, "140000000000")
        assert await bare.count("division") == 0
        assert await bare.events() == []

    async def test_a_city_without_counties_counts_its_communities_once(self, bare, tmp_path):
        await load(bare, package(tmp_path))
        async with bare.database.transaction() as session:
            await indicators.recount(session)
        rows = await bare.fetch("SELECT code, communities FROM indicator_sum ORDER BY code")
        found = {row["code"]: row["communities"] for row in rows}
        assert (found["440000000000"], found["441900000000"]) == (1, 1)
        assert found["140802000000"] == 2
        async with bare.database.transaction() as session:
            await indicators.refresh(session, ["441900003001"])
            assert await indicators.recount(session) == 0
