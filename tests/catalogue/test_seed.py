"""The starter catalogue: loaded once, again without a change, and never over what people wrote."""

import asyncio
from pathlib import Path

import pytest
import yaml

from contracts.catalogue import ItemPublished
from services.catalogue.items.seed import DIVISION, SeedRefused, seed
from tests.catalogue.factories import CITY, make_content, make_limits

DATA = Path(__file__).parents[2] / "data"
CODE = "provisional:disabled-living-allowance"


@pytest.fixture
def own_data(tmp_path) -> Path:
    """A small data directory of two items."""
    write(tmp_path, entry(), entry(item_code="provisional:other", name="另一个事项", aliases=[]))
    return tmp_path


def entry(**overrides):
    return {"item_code": CODE, **make_content(provisional=True, **overrides)}


def write(directory: Path, *entries) -> None:
    path = directory / "catalogue" / "items" / "own.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(list(entries), allow_unicode=True), encoding="utf-8")


async def item_id_of(catalogue, code: str) -> str:
    rows = await catalogue.fetch("SELECT id FROM item WHERE item_code = $1", code)
    return str(rows[0]["id"])


class TestStarterCatalogue:
    async def test_is_published_whole_and_found_by_everyday_words(self, catalogue):
        line = await seed(catalogue.database, DATA)
        count = await catalogue.count("item")
        assert line == f"catalogue: {count} items, {count} changed"
        assert count >= 66
        events = await catalogue.events()
        assert len(events) == count
        for event_type, body in events:
            event = ItemPublished.model_validate(body)
            assert event_type == ItemPublished.event_type
            assert event.division_code == DIVISION
            assert event.provisional
        await catalogue.app.state.search_index.refresh()
        for typed in ("残补", "残疾", "补贴", "cjr", "shenghuo"):
            answer = await catalogue.client.get(
                "/v1/search", params={"q": typed, "division": "140802001005", "limit": 50}
            )
            assert CODE in [hit["item_code"] for hit in answer.json()["items"]]

    async def test_again_changes_nothing_and_tells_nobody(self, catalogue):
        await seed(catalogue.database, DATA)
        before = await catalogue.fetch("SELECT * FROM item ORDER BY id")
        events = await catalogue.events()
        line = await seed(catalogue.database, DATA)
        assert line == f"catalogue: {len(before)} items, 0 changed"
        assert await catalogue.fetch("SELECT * FROM item ORDER BY id") == before
        assert await catalogue.events() == events


class TestOwnData:
    async def test_who_imported_it_is_in_the_version(self, catalogue, own_data):
        await seed(catalogue.database, own_data)
        rows = await catalogue.fetch("SELECT authors, approver, reason FROM item_version")
        assert {(*row["authors"], row["approver"], row["reason"]) for row in rows} == {
            ("seed", "seed", "暂定事项数据导入")
        }

    async def test_changed_content_makes_a_new_version_of_that_item_alone(
        self, catalogue, own_data
    ):
        await seed(catalogue.database, own_data)
        write(
            own_data,
            entry(name="改了名的补贴"),
            entry(item_code="provisional:other", name="另一个事项", aliases=[]),
        )
        assert await seed(catalogue.database, own_data) == "catalogue: 2 items, 1 changed"
        events = await catalogue.events()
        assert len(events) == 3
        assert (events[-1][1]["name"], events[-1][1]["version"]) == ("改了名的补贴", 2)

    async def test_a_pause_is_not_lifted(self, catalogue, own_data, people):
        people.division = CITY
        await seed(catalogue.database, own_data)
        item_id = await item_id_of(catalogue, CODE)
        await people.act(item_id, "pause", reason="停电")
        write(own_data, entry(name="改了名的补贴"))
        assert await seed(catalogue.database, own_data) == "catalogue: 1 items, 1 changed"
        item = (await catalogue.client.get(f"/v1/items/{item_id}")).json()
        assert (item["name"], item["status"], item["version"]) == ("改了名的补贴", "paused", 2)

    async def test_what_people_wrote_stays(self, catalogue, own_data, people):
        people.division = CITY
        await seed(catalogue.database, own_data)
        item_id = await item_id_of(catalogue, CODE)
        await people.save(item_id, provisional=True, limits=make_limits(promised_days=5))
        await people.approve(item_id)
        write(own_data, entry(name="改了名的补贴"))
        line = await seed(catalogue.database, own_data)
        assert line == "catalogue: 1 items, 0 changed, 1 kept as edited here"
        item = (await catalogue.client.get(f"/v1/items/{item_id}")).json()
        assert (item["limits"]["promised_days"], item["version"]) == (5, 2)

    async def test_what_people_retired_stays_retired(self, catalogue, own_data, people):
        people.division = CITY
        await seed(catalogue.database, own_data)
        item_id = await item_id_of(catalogue, CODE)
        await people.act(item_id, "retire", reason="取消")
        write(own_data, entry(name="改了名的补贴"))
        assert "1 kept" in await seed(catalogue.database, own_data)
        assert (await catalogue.client.get(f"/v1/items/{item_id}")).json()["status"] == "retired"

    async def test_data_that_breaks_the_rules_is_refused_whole(self, catalogue, own_data):
        write(
            own_data,
            entry(visits=1),
            entry(item_code="provisional:b", limits=make_limits(statutory_days=500)),
            entry(item_code="provisional:c") | {"level": "street"},
            entry(item_code="provisional:b"),
        )
        with pytest.raises(SeedRefused) as refused:
            await seed(catalogue.database, own_data)
        told = str(refused.value)
        for part in ("visit-needs-reason", "sentinel-days", "level", "twice"):
            assert part in told
        assert await catalogue.count("item") == 0

    async def test_two_at_once_import_once(self, catalogue, own_data):

        lines = await asyncio.gather(*(seed(catalogue.database, own_data) for _ in range(2)))
        assert sorted(lines) == ["catalogue: 2 items, 0 changed", "catalogue: 2 items, 2 changed"]
        assert len(await catalogue.events()) == 2
