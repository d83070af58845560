import pytest

from servicekit.outbox import MAX_EVENT_BYTES, EventTooLarge, record
from tests.servicekit.helpers import notes
from tests.servicekit.sample.events import NoteWritten


class TestRecord:
    async def test_is_part_of_the_callers_transaction(self, sample, database):
        async def write_and_fail():
            async with database.transaction() as session:
                await record(session, *notes(NoteWritten, ["一"]))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await write_and_fail()
        assert await sample.events() == []

    async def test_keeps_the_order_of_its_arguments(self, sample, database):
        async with database.transaction() as session:
            await record(session, *notes(NoteWritten, ["一", "二", "三"]))
        assert [body["title"] for _, body in await sample.events()] == ["一", "二", "三"]

    async def test_refuses_what_kafka_would_refuse(self, sample, database):
        async def write(length: int) -> None:
            async with database.transaction() as session:
                await record(session, *notes(NoteWritten, ["一", "万" * length]))

        with pytest.raises(EventTooLarge):
            await write(MAX_EVENT_BYTES // 3)
        assert await sample.events() == []
        await write(MAX_EVENT_BYTES // 3 - 100)
        assert len(await sample.events()) == 2

    async def test_of_nothing_is_nothing(self, sample, database):
        async with database.transaction() as session:
            await record(session)
        assert await sample.events() == []
