from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contracts.catalogue import ItemPaused, ItemPublished, ItemRevised
from services.requests.reference.consumers import keep_division, keep_item
from tests.requests.conftest import deliver
from tests.requests.factories import OTHER_COUNTY_VILLAGE, VILLAGE, make_division, make_item

CODE = "provisional:copied"


async def copied(service, code=CODE):
    rows = await service.fetch(
        "SELECT version, status FROM catalogue_item WHERE item_code = $1", code
    )
    return [(row["version"], row["status"]) for row in rows]


def found(service, code=CODE, division=VILLAGE):
    return service.app.state.reference.value.find_item(code, division)


class TestItemCopy:
    async def test_each_county_has_its_own_item_of_a_code(self, service):
        code = "provisional:in-two-counties"
        for division, name in (
            ("140821000000", "别县的"),
            ("140802000000", "本县的"),
            ("140800000000", "全市的"),
        ):
            await deliver(service, keep_item, make_item(
                item_code=code, division_code=division, name=name,
            ))  # fmt: skip
        assert found(service, code).state.name == "本县的"
        assert found(service, code, OTHER_COUNTY_VILLAGE).state.name == "别县的"
        assert found(service, code, "140822001001").state.name == "全市的"
        assert found(service, code, "149900001001") is not None  # refused there by name
        assert found(service, "provisional:none") is None

    async def test_delivered_twice_and_out_of_order_the_newest_state_stays(self, service):
        item_id, now = uuid4(), datetime.now(UTC)
        first = make_item(item_id=item_id, item_code=CODE, recorded_at=now)
        second = make_item(
            item_id=item_id, item_code=CODE, version=2, recorded_at=now + timedelta(seconds=1)
        )
        for event in (second, first, second, first):
            await deliver(service, keep_item, event)
        assert await copied(service) == [(2, "published")]
        assert found(service).state.version == 2

        paused = ItemPaused(
            **(second.model_dump() | {"recorded_at": now + timedelta(seconds=2)}), reason="检修"
        )
        await deliver(service, keep_item, paused)
        assert await copied(service) == [(2, "paused")]
        assert not found(service).is_open

    async def test_revisions_decide_whatever_the_clocks_said(self, service):
        item_id, now = uuid4(), datetime.now(UTC)
        same = {"item_id": item_id, "item_code": "provisional:by-revision"}
        newer = make_item(**same, version=3, revision=9, recorded_at=now)
        older = make_item(**same, version=2, revision=8, recorded_at=now + timedelta(hours=1))
        without = make_item(**same, version=4, recorded_at=now + timedelta(hours=2))
        for event in (newer, older, without):
            await deliver(service, keep_item, event)
        assert await copied(service, "provisional:by-revision") == [(3, "published")]

    @pytest.mark.parametrize("later", [ItemRevised, ItemPublished])
    async def test_a_later_version_is_taken_under_either_name(self, service, later):
        """Logs from before `ItemRevised` tell every version by `ItemPublished`."""
        code = f"provisional:{later.__name__.lower()}"
        first = make_item(item_code=code, revision=1)
        second = later.model_validate(
            first.model_dump() | {"version": 2, "revision": 2, "name": "改过的名称"}
        )
        for event in (second, first):
            await deliver(service, keep_item, event)
        assert await copied(service, code) == [(2, "published")]
        item = found(service, code)
        assert (item.state.name, item.is_open) == ("改过的名称", True)

    async def test_what_did_not_change_is_taken_over(self, service):
        """Every item whole, twice, whenever one of them changes, would double the memory."""
        first, other = (
            make_item(item_code="provisional:stays"),
            make_item(item_code=CODE, revision=1),
        )
        for event in (first, other):
            await deliver(service, keep_item, event)
        before = service.app.state.reference.value.items
        again = type(other).model_validate(
            other.model_dump() | {"revision": 2, "name": "另一个名称"}
        )
        await deliver(service, keep_item, again)
        after = service.app.state.reference.value.items
        assert after[first.item_id] is before[first.item_id]
        assert [seen[other.item_id].state.name for seen in (before, after)] == [
            other.name,
            "另一个名称",
        ]


async def test_a_closed_division_is_no_longer_offered(service):
    now = datetime.now(UTC)
    code = "140802001777"
    await deliver(service, keep_division, make_division(code, "某村", recorded_at=now))
    assert code in service.app.state.reference.value.divisions
    closed = make_division(
        code, "某村", valid_until=now.date(), recorded_at=now + timedelta(seconds=1)
    )
    await deliver(service, keep_division, closed)
    assert code not in service.app.state.reference.value.divisions
