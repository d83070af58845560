from dataclasses import replace
from datetime import datetime

import pytest

from contracts.facilities import DivisionRecorded
from services.facilities.divisions import service
from services.facilities.divisions.rules import DivisionRow, numbering_warnings
from services.facilities.seed import DIVISIONS, TYPES, read_divisions, read_types, seed
from tests.facilities.conftest import DATA

TREE = [
    DivisionRow("140000000000", "山西省", "province", None, None),
    DivisionRow("140800000000", "运城市", "city", "140000000000", None),
    DivisionRow("140802000000", "盐湖区", "county", "140800000000", None),
    DivisionRow("140802100000", "解州镇", "township", "140802000000", None),
    DivisionRow("140802100201", "东村村委会", "community", "140802100000", "village"),
]


async def load(running, rows):
    async with running.database.transaction() as session:
        return await service.load(session, rows, source="测试")


class TestSeed:
    async def test_yuncheng_is_loaded_whole_and_published_parents_first(self, bare):
        # As a server knows tables that stood empty for a while: nothing tells of what is to come.
        await bare.fetch("ANALYZE")
        report = await seed(bare.database, DATA)
        assert report.startswith("facilities: 2571 divisions read, 2571 changed")
        assert await bare.count("division") == 2571
        assert await bare.count("community") == 2395
        published = [body for _, body in await bare.events()]
        assert len(published) == 2571
        seen: set[str | None] = {None}
        for body in published:
            assert body["parent_code"] in seen
            seen.add(body["code"])

    async def test_a_second_run_publishes_nothing(self, bare):
        await seed(bare.database, DATA)
        before = await bare.fetch("SELECT code, version, recorded_at FROM division ORDER BY code")
        report = await seed(bare.database, DATA)
        assert "0 changed" in report
        assert len(await bare.events()) == 2571
        after = await bare.fetch("SELECT code, version, recorded_at FROM division ORDER BY code")
        assert after == before
        assert await bare.count("facility_type") == len(types())


def types():
    return [entry for group in read_types(DATA / TYPES).groups for entry in group.types]


class TestLoad:
    async def test_events_carry_the_full_state(self, bare):
        report = await load(bare, TREE)
        assert (report.read, report.changed, report.warnings) == (5, 5, [])
        event_type, body = (await bare.events())[-1]
        assert event_type == DivisionRecorded.event_type
        event = DivisionRecorded.model_validate(body)
        assert event.code == "140802100201"
        assert event.name == "东村村委会"
        assert event.level == "community"
        assert event.parent_code == "140802100000"
        assert event.community_kind == "village"
        assert isinstance(event.recorded_at, datetime)

    async def test_rows_may_come_in_any_order(self, bare):
        await load(bare, list(reversed(TREE)))
        codes = [body["code"] for _, body in await bare.events()]
        assert codes == [row.code for row in TREE]

    async def test_only_what_changed_is_published(self, bare):
        await load(bare, TREE)
        [earlier] = await bare.fetch("SELECT recorded_at FROM division WHERE level = 'township'")
        report = await load(bare, [*TREE[:3], replace(TREE[3], name="解州古镇镇"), TREE[4]])
        assert report.changed == 1
        _, body = (await bare.events())[-1]
        assert len(await bare.events()) == 6
        assert (body["code"], body["name"]) == ("140802100000", "解州古镇镇")
        assert datetime.fromisoformat(body["recorded_at"]) > earlier["recorded_at"]
        [row] = await bare.fetch("SELECT version FROM division WHERE level = 'township'")
        assert row["version"] == 2

    async def test_what_the_list_leaves_out_stays(self, bare):
        await load(bare, TREE)
        report = await load(bare, TREE[:2])
        assert report.changed == 0
        assert await bare.count("division") == 5

    async def test_a_new_branch_hangs_on_what_is_recorded(self, bare):
        await load(bare, TREE)
        row = DivisionRow("140802100202", "西村村委会", "community", "140802100000", "village")
        report = await load(bare, [row])
        assert report.changed == 1
        assert await bare.count("community") == 2

    async def test_an_orphan_is_refused_and_nothing_of_the_list_is_written(self, bare):
        orphan = DivisionRow("140899100201", "无主村委会", "community", "140899100000", "village")
        with pytest.raises(service.DivisionsRefused, match="orphan"):
            await load(bare, [*TREE, orphan])
        assert await bare.count("division") == 0
        assert await bare.events() == []

    async def test_unusual_numbers_are_loaded_and_reported(self, bare):
        odd = replace(TREE[4], code="140802100001")
        report = await load(bare, [*TREE, odd])
        assert report.changed == 6
        assert report.warnings == ["140802100001 东村村委会: numbered as 居委会"]

    async def test_long_lists_are_written_in_chunks(self, bare, monkeypatch):
        monkeypatch.setattr(service, "CHUNK_ROWS", 2)
        report = await load(bare, TREE)
        assert report.changed == 5
        assert len(await bare.events()) == 5


def test_the_list_that_ships_has_few_unusual_numbers():
    warnings = [
        warning for row in read_divisions(DATA / DIVISIONS) for warning in numbering_warnings(row)
    ]
    assert len(warnings) < 30
