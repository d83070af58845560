"""The copy of scores, rebuilt from its compacted topic alone."""

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from contracts.envelope import Envelope
from contracts.evaluation import ScoreChanged
from contracts.topics import SCORES, TOPICS
from servicekit.bus import create_topics
from servicekit.outbox import now
from servicekit.rebuild import rebuild
from services.catalogue.definition import SERVICE
from tests.catalogue.factories import make_score

pytestmark = pytest.mark.kafka


async def send(bootstrap_servers: str, *events: ScoreChanged) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all")
    await producer.start()
    try:
        for event in events:
            envelope = Envelope(
                id=uuid4(),
                type=event.event_type,
                source=event.source,
                subject=event.key,
                time=now(),
            )
            await producer.send_and_wait(
                event.topic,
                key=event.key.encode(),
                value=event.model_dump_json().encode(),
                headers=envelope.headers(),
            )
    finally:
        await producer.stop()


async def test_scores_are_as_the_topic_tells(catalogue, broker):
    item_id = uuid4()
    await create_topics(broker.bootstrap_servers, [TOPICS[SCORES]])
    await send(
        broker.bootstrap_servers,
        make_score(item_id, revision=2, rated=2),
        make_score(item_id, revision=1, rated=1),
        make_score(item_id, subject_kind="unit", subject_id="140802000000:civil-affairs"),
    )

    async def rebuilt() -> str:
        return await rebuild(
            SERVICE.projections()["item-scores"], catalogue.database, broker.bootstrap_servers
        )

    assert "differed: item_score" in await rebuilt()
    assert "identical" in await rebuilt()
    await catalogue.fetch("UPDATE item_score SET rated = 99")
    assert "differed: item_score" in await rebuilt()
    rows = await catalogue.fetch(
        "SELECT revision, rated FROM item_score WHERE item_id = $1", item_id
    )
    assert [tuple(row) for row in rows] == [(2, 2)]
