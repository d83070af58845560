"""The worker: real events in, real events out."""

import asyncio
import time
from contextlib import asynccontextmanager
from functools import partial

import orjson
import pytest
import structlog
from aiokafka import AIOKafkaConsumer
from structlog.testing import capture_logs

from contracts.envelope import Envelope
from contracts.evaluation import EvaluationOpened
from contracts.requests import CaseCompleted
from contracts.topics import EVALUATION, REQUESTS, SCORES, TOPICS, dead_letter_topic
from contracts.values import RatingLevel
from servicekit.bus import Consumer, create_topics
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.producer import Outgoing, Producer
from servicekit.relay import Relay
from services.evaluation.ratings import defaults
from services.evaluation.worker import create_worker
from tests.evaluation.factories import completed, finish_case

DEADLINE_SECONDS = 60.0


async def until(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := await condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
    return found


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
    envelope = Envelope(
        id=new_id(), type=event.event_type, source=event.source, subject=event.key, time=now()
    )
    body = event.model_dump_json().encode()
    return Outgoing(event.topic, event.key.encode(), body, envelope.headers())


@pytest.mark.kafka
async def test_a_finished_case_opens_its_evaluation_by_event(evaluation, broker):
    settings = evaluation.settings.model_copy(
        update={"kafka_bootstrap_servers": broker.bootstrap_servers}
    )
    subscription = next(
        each for each in create_worker(settings).subscriptions if CaseCompleted in each.handlers
    )
    topics = [TOPICS[REQUESTS], TOPICS[EVALUATION], TOPICS[SCORES]]
    await create_topics(
        broker.bootstrap_servers, [*topics, dead_letter_topic(REQUESTS, subscription.group)]
    )
    event = completed()
    producer = Producer(broker.bootstrap_servers)
    await producer.send([outgoing(event), outgoing(event)])
    consumer = Consumer(
        subscription,
        database=evaluation.database,
        bootstrap_servers=broker.bootstrap_servers,
    )
    listener = AIOKafkaConsumer(
        EVALUATION, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    )
    await listener.start()
    try:
        async with beside(consumer.run(), Relay(evaluation.database, producer).run()):
            told = await until(lambda: _told(listener, event.case_id))
    finally:
        await listener.stop()
        await producer.stop()
    [row] = await evaluation.fetch("SELECT id FROM evaluable WHERE case_id = $1", event.case_id)
    assert told.evaluable_id == row["id"]


async def _told(listener, case_id) -> EvaluationOpened | None:
    batches = await listener.getmany(timeout_ms=200)
    for records in batches.values():
        for record in records:
            envelope = Envelope.from_headers(list(record.headers))
            if envelope.type == EvaluationOpened.event_type:
                event = EvaluationOpened.model_validate(orjson.loads(record.value))
                if event.case_id == case_id:
                    return event
    return None


def rating_jobs(settings) -> list[partial]:
    jobs = [job for job in create_worker(settings).jobs if isinstance(job, partial)]
    return [job for job in jobs if job.func is defaults.rate_by_default]


class TestJobs:
    def test_no_default_ratings_unless_a_region_wants_them(self, evaluation_session):
        assert rating_jobs(evaluation_session.settings) == []

    async def test_default_ratings_are_given_in_the_background(self, evaluation):
        case = await finish_case(evaluation)
        await evaluation.fetch("UPDATE evaluable SET open_until = '2026-01-01'")
        settings = evaluation.settings.model_copy(
            update={"default_rating_level": RatingLevel.satisfied}
        )
        [job] = rating_jobs(settings)
        async with beside(job(evaluation.database)):
            rows = await until(lambda: evaluation.fetch("SELECT * FROM rating"))
        assert str(rows[0]["evaluable_id"]) == case.evaluable_id
        assert rows[0]["origin"] == "default"

    async def test_the_job_waits_for_a_lost_database(self, evaluation, monkeypatch):
        monkeypatch.setattr(defaults, "IDLE_SECONDS", 0.01)
        # A logger that was used before may have kept its processors; a new one has not.
        monkeypatch.setattr(defaults, "logger", structlog.get_logger())
        await finish_case(evaluation)
        await evaluation.fetch("UPDATE evaluable SET open_until = '2026-01-01'")
        await evaluation.fetch("ALTER TABLE rating RENAME TO rating_away")
        job = defaults.rate_by_default(RatingLevel.satisfied, evaluation.database)
        with capture_logs() as logs:
            async with beside(job):
                try:
                    await until(lambda: _waited(logs))
                finally:
                    await evaluation.fetch("ALTER TABLE rating_away RENAME TO rating")
                assert await until(lambda: evaluation.fetch("SELECT * FROM rating"))


async def _waited(logs) -> bool:
    return any(entry["event"] == "default_ratings_wait" for entry in logs)
