"""Dead letters, from a consumer that really failed to the same consumer having handled them."""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from devstack.broker import Broker
from servicekit.inbox import KEEP_DAYS
from tests.servicekit.helpers import (
    consuming,
    fresh_event,
    notes,
    outgoing,
    read,
    send,
    until,
)
from tests.servicekit.sample.definition import SERVICE
from tests.servicekit.sample.events import NoteWritten
from tests.support.service import running

pytestmark = pytest.mark.kafka
GROUP = "sample.cli"


@pytest.fixture(scope="module")
async def sample(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        yield service


@pytest.fixture(autouse=True)
def configured(alone, broker: Broker) -> None:
    os.environ["KAFKA_BOOTSTRAP_SERVERS"] = broker.bootstrap_servers


@pytest.fixture
async def event(broker: Broker) -> type[NoteWritten]:
    return await fresh_event(broker, NoteWritten, group=GROUP, partitions=1)


def dead(event: type[NoteWritten]) -> str:
    return f"{event.topic}.dlq.{GROUP}"


async def bury(
    broker: Broker, event: type[NoteWritten], *titles: str, age_days: float = 0
) -> tuple[str, str]:
    """Put events of one note among the dead letters as a consumer does; say in which partition.

    It is the only one, except in the stand-in, which gives every topic several.
    """
    recorded_at = (datetime.now(UTC) - timedelta(days=age_days)).isoformat().encode()
    for position, note in enumerate(notes(event, titles, UUID(int=7))):
        record = outgoing(note)
        headers = [(name, value) for name, value in record.headers if name != "ce_time"]
        headers += [
            ("ce_time", recorded_at),
            ("dlq_reason", b"Poison('no')"),
            ("dlq_origin", f"{event.topic}/0/{position}".encode()),
        ]
        await send(broker, record._replace(topic=dead(event), headers=headers))
    [first, *_] = await read(broker, dead(event), len(titles))
    return "--partition", str(first.partition)


async def count_of(yichuang, topic: str) -> int:
    lines = [line.split() for line in (await yichuang("dlq", "list")).said.splitlines()]
    return next(int(count) for name, count, *_ in lines if name == topic)


class TestReplay:
    async def test_the_failed_consumer_handles_it_and_others_see_a_duplicate(
        self, yichuang, broker, sample, event
    ):
        handled: Counter[tuple[str, str]] = Counter()
        cured = False

        async def always(session, note, envelope) -> None:
            handled["sound", note.title] += 1

        async def once_cured(session, note, envelope) -> None:
            if note.title == "sick" and not cured:
                raise RuntimeError("a bug")
            handled["failing", note.title] += 1

        async def buried() -> bool:
            return await count_of(yichuang, dead(event)) == 1

        async def both_after() -> bool:
            return handled["failing", "after"] == handled["sound", "after"] == 1

        sick, after = notes(event, ["sick", "after"])
        async with (
            consuming(sample.database, broker, "sample.sound", {event: [always]}),
            consuming(sample.database, broker, GROUP, {event: [once_cured]}),
        ):
            await send(broker, outgoing(sick))
            await until(buried)
            cured = True
            outcome = await yichuang("dlq", "replay", dead(event), "--all")
            assert outcome.said == f"1 sent to {event.topic}\n"
            await send(broker, outgoing(after))
            await until(both_after)
        assert handled["failing", "sick"] == 1
        assert handled["sound", "sick"] == 1

    async def test_it_goes_back_as_it_came(self, yichuang, broker, event):
        there = await bury(broker, event, "one", "two")
        outcome = await yichuang("dlq", "replay", dead(event), "--offset", "1", *there)
        assert outcome.code == 0, outcome.said
        [record] = await read(broker, event.topic, 1)
        buried = (await read(broker, dead(event), 2))[1]
        assert (record.key, record.value) == (buried.key, buried.value)
        kept = [header for header in buried.headers if not header[0].startswith("dlq_")]
        assert list(record.headers) == kept

    async def test_all_go_back_in_order(self, yichuang, broker, event):
        titles = [f"note {number}" for number in range(20)]
        await bury(broker, event, *titles)
        await yichuang("dlq", "replay", dead(event), "--all")
        records = await read(broker, event.topic, 20)
        assert [event.model_validate_json(record.value).title for record in records] == titles

    async def test_events_that_others_have_forgotten_are_held_back(self, yichuang, broker, event):
        there = await bury(broker, event, "old", age_days=KEEP_DAYS + 1)
        await bury(broker, event, "young")
        outcome = await yichuang("dlq", "replay", dead(event), "--all")
        assert outcome.code == 1
        assert "1 sent" in outcome.said
        assert f"held back: {there[1]}/0" in outcome.said
        chosen = ("--offset", "0", *there)
        outcome = await yichuang("dlq", "replay", dead(event), *chosen, "--even-if-old")
        assert outcome.code == 0
        assert len(await read(broker, event.topic, 2)) == 2

    @pytest.mark.parametrize("choice", [(), ("--all", "--offset", "0")])
    async def test_it_must_be_said_what(self, yichuang, event, choice):
        outcome = await yichuang("dlq", "replay", dead(event), *choice)
        assert outcome.code == 2
        assert "either --offset or --all" in outcome.said


class TestShow:
    async def test_reason_origin_headers_and_body_are_there(self, yichuang, broker, event):
        note_id = uuid4()
        [note] = notes(event, ["标题"], note_id)
        record = outgoing(note)
        headers = [*record.headers, ("dlq_reason", b"Poison('no')"), ("dlq_origin", b"t/0/7")]
        await send(broker, record._replace(topic=dead(event), headers=headers))
        outcome = await yichuang("dlq", "show", dead(event))
        assert "offset 0, buried 20" in outcome.said.splitlines()[0]
        assert "dlq_reason: Poison('no')" in outcome.said
        assert "dlq_origin: t/0/7" in outcome.said
        assert f"ce_type: {event.event_type}" in outcome.said
        assert f"key: {note_id}" in outcome.said
        assert '"title": "标题"' in outcome.said

    async def test_what_is_no_json_and_has_no_headers_is_shown_too(self, yichuang, broker, event):
        [note] = notes(event, ["x"])
        bare = outgoing(note)._replace(topic=dead(event), headers=[])
        await send(broker, bare._replace(key=None, value=b"\xff not json"))
        await send(broker, bare._replace(value=None))
        outcome = await yichuang("dlq", "show", dead(event))
        assert "(not JSON) b'\\xff not json'" in outcome.said
        assert "(no body)" in outcome.said

    async def test_a_limit_and_an_offset_choose(self, yichuang, broker, event):
        there = await bury(broker, event, "one", "two", "three")
        shown = (await yichuang("dlq", "show", dead(event), "--limit", "2")).said
        assert ("one" in shown, "two" in shown, "three" in shown) == (True, True, False)
        shown = (await yichuang("dlq", "show", dead(event), "--offset", "2", *there)).said
        assert ("one" in shown, "two" in shown, "three" in shown) == (False, False, True)

    async def test_an_empty_topic_is_said_to_be_empty(self, yichuang, event):
        assert "is empty" in (await yichuang("dlq", "show", dead(event))).said

    async def test_a_wrong_offset_or_topic_is_refused(self, yichuang, broker, event):
        there = await bury(broker, event, "one")
        outcome = await yichuang("dlq", "show", dead(event), "--offset", "5", *there)
        assert (outcome.code, "it holds offsets 0 to 0" in outcome.said) == (2, True)
        for topic in ("never.dlq.was", event.topic):
            outcome = await yichuang("dlq", "show", topic)
            assert (outcome.code, "no dead-letter topic" in outcome.said) == (2, True)


class TestList:
    async def test_topics_come_with_their_counts(self, yichuang, broker, event):
        await bury(broker, event, "one", "two")
        lines = (await yichuang("dlq", "list")).said.splitlines()
        [line] = [line for line in lines if line.startswith(dead(event))]
        assert line.split()[1] == "2"
        assert "offsets 0 to 1" in line

    async def test_a_broker_that_is_away_is_said_in_one_line(self, yichuang):
        os.environ["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
        outcome = await yichuang("dlq", "list")
        assert outcome.code == 1
        assert "Kafka at 127.0.0.1:1" in outcome.said


@pytest.mark.rebalance
class TestDrop:
    @pytest.fixture(autouse=True)
    def apache(self, broker: Broker) -> None:
        if not broker.is_apache:
            pytest.skip("the stand-in cannot delete records")

    async def test_up_to_an_offset(self, yichuang, broker, event):
        await bury(broker, event, "one", "two", "three")
        outcome = await yichuang("dlq", "drop", dead(event), "--offset", "1", "--yes")
        assert outcome.said == "2 dropped\n"
        shown = (await yichuang("dlq", "show", dead(event))).said
        assert ("two" in shown, "three" in shown) == (False, True)
        outcome = await yichuang("dlq", "drop", dead(event), "--offset", "1", "--yes")
        assert (outcome.code, "it holds offsets 2 to 2" in outcome.said) == (2, True)

    async def test_all(self, yichuang, broker, event):
        await bury(broker, event, "one", "two")
        assert (await yichuang("dlq", "drop", dead(event), "--all", "--yes")).said == "2 dropped\n"
        assert "is empty" in (await yichuang("dlq", "show", dead(event))).said
        assert (await yichuang("dlq", "drop", dead(event), "--all", "--yes")).said == "0 dropped\n"

    async def test_its_help_says_what_kafka_cannot_do(self, yichuang):
        said = (await yichuang("dlq", "drop", "--help")).said
        assert "cannot delete a single record" in " ".join(said.split())

    async def test_it_asks_before(self, yichuang, broker, event):
        await bury(broker, event, "one")
        outcome = await yichuang("dlq", "drop", dead(event), "--all", typed="n\n")
        assert outcome.code == 1
        assert "one" in (await yichuang("dlq", "show", dead(event))).said
