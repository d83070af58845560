from datetime import UTC, datetime, timedelta
from uuid import uuid4

from contracts.catalogue import ItemPaused
from services.requests.reference.consumers import keep_division, keep_item
from tests.requests.conftest import deliver
from tests.requests.factories import make_division, make_item

CODE = "provisional:copied"


async def copied(service):
    rows = await service.fetch(
        "SELECT version, status FROM catalogue_item WHERE item_code = $1", CODE
    )
    return [(row["version"], row["status"]) for row in rows]


class TestItemCopy:
    async def test_delivered_twice_and_out_of_order_the_newest_state_stays(self, service):
        item_id, now = uuid4(), datetime.now(UTC)
        first = make_item(item_id=item_id, item_code=CODE, recorded_at=now)
        second = make_item(
            item_id=item_id, item_code=CODE, version=2, recorded_at=now + timedelta(seconds=1)
        )
        for event in (second, first, second, first):
            await deliver(service, keep_item, event)
        assert await copied(service) == [(2, "published")]
        assert service.app.state.reference.value.items_by_code[CODE].state.version == 2

        paused = ItemPaused(
            **(second.model_dump() | {"recorded_at": now + timedelta(seconds=2)}), reason="检修"
        )
        await deliver(service, keep_item, paused)
        assert await copied(service) == [(2, "paused")]
        assert not service.app.state.reference.value.items_by_code[CODE].is_open


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
