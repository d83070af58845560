"""The worker as production runs it: real events in, notices and real events out."""

import asyncio
import time
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from contracts.evaluation import EvaluationOpened
from contracts.exchange import NoticeDelivered
from contracts.requests import CaseAccepted, CaseCompleted, CaseDecided, RequestSubmitted
from contracts.topics import (
    EVALUATION,
    EXCHANGE,
    FACILITIES_FACTS,
    REQUESTS,
    TOPICS,
    dead_letter_topic,
)
from servicekit.bus import Consumer, create_topics
from servicekit.producer import Outgoing, Producer
from servicekit.relay import Relay
from services.exchange.notices.consumers import GROUP
from tests.exchange.factories import SUBSCRIPTION, envelope_of, happened

DEADLINE_SECONDS = 60.0
STEPS = (RequestSubmitted, CaseAccepted, CaseDecided, CaseCompleted)


@asynccontextmanager
async def beside(*mains):
    tasks = [asyncio.create_task(main) for main in mains]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def outgoing(event) -> Outgoing:
    body = event.model_dump_json().encode()
    return Outgoing(event.topic, event.key.encode(), body, envelope_of(event).headers())


async def prepare(broker):
    # The stand-in makes topics when they are first mentioned, and cannot be asked to.
    if broker.is_apache:
        names = (REQUESTS, EVALUATION, FACILITIES_FACTS)
        topics = [TOPICS[name] for name in (*names, EXCHANGE)]
        dead = [dead_letter_topic(name, GROUP) for name in names]
        await create_topics(broker.bootstrap_servers, [*topics, *dead])


async def delivered(listener, notice_ids: set) -> None:
    """Read the topic until it told of each of these notices."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while notice_ids:
        assert time.monotonic() < deadline, "it did not happen in time"
        for records in (await listener.getmany(timeout_ms=200)).values():
            for record in records:
                notice_ids.discard(NoticeDelivered.model_validate_json(record.value).notice_id)


@pytest.mark.kafka
async def test_events_that_come_twice_are_told_once_and_in_order(exchange, broker):
    await prepare(broker)
    applicant, request = uuid4(), uuid4()
    events = [happened(one, applicant_id=applicant, request_id=request) for one in STEPS]
    opened = happened(EvaluationOpened, applicant_id=applicant)
    messages = [outgoing(event) for event in (*events, opened)]
    producer = Producer(broker.bootstrap_servers)
    await producer.send([message for message in messages for _ in range(2)])

    async def told():
        return await exchange.fetch(
            "SELECT id, template FROM notice WHERE receiver_id = $1 ORDER BY id", applicant
        )

    consumer = Consumer(
        SUBSCRIPTION, database=exchange.database, bootstrap_servers=broker.bootstrap_servers
    )
    listener = AIOKafkaConsumer(
        EXCHANGE, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    )
    await listener.start()
    try:
        async with beside(consumer.run(), Relay(exchange.database, producer).run()):
            deadline = time.monotonic() + DEADLINE_SECONDS
            while len(await told()) < len(messages):
                assert time.monotonic() < deadline, "it did not happen in time"
                await asyncio.sleep(0.05)
            await delivered(listener, {notice["id"] for notice in await told()})
    finally:
        await listener.stop()
        await producer.stop()
    templates = [notice["template"] for notice in await told()]
    assert [one for one in templates if one != "evaluation-opened"] == [
        "request-submitted",
        "case-accepted",
        "case-granted",
        "case-completed",
    ]
    assert templates.count("evaluation-opened") == 1
