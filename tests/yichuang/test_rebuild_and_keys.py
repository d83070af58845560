"""Rebuilding a copy from Kafka and re-encrypting personal data, through the services' own code."""

import asyncio
import base64
import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.registry import BY_TYPE
from contracts.samples import samples_of
from contracts.topics import CATALOGUE, TOPICS, Topic
from devstack.broker import Broker
from servicekit.database import Database
from servicekit.personal_data import Cipher, EncryptedColumn
from servicekit.process import load_service
from servicekit.rebuild import rebuild
from tests.servicekit.helpers import make_topics, outgoing, send, until
from tests.support.service import DATA_KEY, INDEX_KEY, TestDatabase, settings_for
from tests.yichuang.conftest import variables

ITEM_PUBLISHED = BY_TYPE["cn.yichuang.catalogue.item-published.v1"]
ITEM_PAUSED = BY_TYPE["cn.yichuang.catalogue.item-paused.v1"]
ANSWER = EncryptedColumn("correction_notice", "answer", key="case_id")
NEW_KEY = base64.b64encode(b"n" * 32).decode()


async def execute(at: TestDatabase, statement: str, *rows) -> list[asyncpg.Record]:
    """Run a statement as the superuser, past foreign keys."""
    connection = await asyncpg.connect(at.admin_dsn)
    try:
        await connection.execute("SET session_replication_role = replica")
        if rows:
            await connection.executemany(statement, rows)
            return []
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def waits_for_lock(at: TestDatabase) -> bool:
    rows = await execute(
        at,
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE datname = current_database() AND NOT granted",
    )
    return bool(rows)


@pytest.mark.kafka
class TestRebuild:
    @pytest.fixture(autouse=True)
    def configured(self, alone, requests_database, broker: Broker) -> None:
        os.environ |= variables("requests", requests_database.dsn, broker.bootstrap_servers)

    async def test_the_copy_is_made_anew_from_the_topic(self, yichuang, broker, requests_database):
        await make_topics(broker, TOPICS[CATALOGUE])
        [(_, paused)] = samples_of(ITEM_PAUSED).items()
        published = {**samples_of(ITEM_PUBLISHED)["disabled-living-allowance"]}
        await send(
            broker,
            outgoing(ITEM_PUBLISHED.model_validate(published)),
            outgoing(ITEM_PAUSED.model_validate(paused)),
        )
        stray = (UUID(int=1), "stray", 1, "published", "{}", datetime.now(UTC))
        await execute(
            requests_database, "INSERT INTO catalogue_item VALUES ($1, $2, $3, $4, $5, $6)", stray
        )
        outcome = await yichuang("rebuild", "requests", "catalogue-items")
        assert outcome.code == 0, outcome.said
        assert "differed: catalogue_item" in outcome.said
        rows = await execute(requests_database, "SELECT item_id, status FROM catalogue_item")
        assert (UUID(paused["item_id"]), "paused") in [tuple(row) for row in rows]
        assert UUID(int=1) not in [row["item_id"] for row in rows]
        again = await yichuang("rebuild", "requests", "catalogue-items")
        assert "identical to what was there" in again.said

    async def test_what_nobody_can_read_is_left_out_and_said(self, broker, requests_database):
        topic = Topic(f"test.{uuid4().hex[:12]}.v1", 1, True, "a test's")
        await make_topics(broker, topic)
        [published, *_] = samples_of(ITEM_PUBLISHED).values()
        sound = outgoing(ITEM_PUBLISHED.model_validate(published))._replace(topic=topic.name)
        await send(broker, sound._replace(value=b"{}"), sound._replace(headers=[]), sound)
        copy = load_service("requests").projections()["catalogue-items"]
        settings = settings_for(load_service("requests").settings, requests_database.dsn)
        database = Database(settings, application_name="tests")
        told = await rebuild(replace(copy, topic=topic.name), database, broker.bootstrap_servers)
        await database.close()
        assert "1 events applied" in told
        assert "2 events cannot be read and were left out" in told

    async def test_what_the_consumer_applies_meanwhile_is_not_lost(
        self, yichuang, broker, requests_database
    ):
        await make_topics(broker, TOPICS[CATALOGUE])
        item_id = uuid4()
        [published, *_] = samples_of(ITEM_PUBLISHED).values()
        event = ITEM_PUBLISHED.model_validate(published | {"item_id": str(item_id)})
        consumer = await asyncpg.connect(requests_database.dsn)
        async with consumer.transaction():
            await consumer.execute(
                "INSERT INTO catalogue_item VALUES ($1, 'x', 1, 'published', '{}', now())", item_id
            )
            rebuilding = asyncio.create_task(yichuang("rebuild", "requests", "catalogue-items"))
            await until(lambda: waits_for_lock(requests_database))
            await send(broker, outgoing(event))
        await consumer.close()
        assert (await rebuilding).code == 0
        rows = await execute(requests_database, "SELECT item_id FROM catalogue_item")
        assert item_id in [row["item_id"] for row in rows]

    async def test_projections_are_told(self, yichuang):
        outcome = await yichuang("rebuild", "requests")
        assert outcome.said.split() == [
            "catalogue-items",
            "catalogue-bundles",
            "admissions",
            "divisions",
        ]
        outcome = await yichuang("rebuild", "requests", "nothing")
        assert (outcome.code, "catalogue-items" in outcome.said) == (2, True)

    async def test_a_broker_must_be_named(self, yichuang):
        os.environ["REQUESTS_KAFKA_BOOTSTRAP_SERVERS"] = ""
        outcome = await yichuang("rebuild", "requests", "divisions")
        assert outcome.code == 1
        assert "REQUESTS_KAFKA_BOOTSTRAP_SERVERS" in outcome.said


class TestRotateKeys:
    old = Cipher({"old": base64.b64decode(DATA_KEY)}, "old", base64.b64decode(INDEX_KEY))
    new = Cipher({"new": base64.b64decode(NEW_KEY)}, "new", base64.b64decode(INDEX_KEY))

    @pytest.fixture
    async def answers(self, requests_database) -> dict[UUID, str]:
        """More notices than one batch, under the old key."""
        answers = {UUID(int=number): f"答复 {number}" for number in range(1, 602)}
        today = date(2026, 11, 22)
        now = datetime.now(UTC)
        await execute(
            requests_database,
            "INSERT INTO correction_notice (case_id, missing, issued_at, answer_by, answer) "
            "VALUES ($1, '[]', $2, $3, $4)",
            *(
                (case_id, now, today, self.old.encrypt(answer, ANSWER.context))
                for case_id, answer in answers.items()
            ),
        )
        return answers

    @pytest.mark.parametrize("arguments", [("requests",), ()])
    async def test_everything_is_under_the_new_key(
        self, yichuang, requests_database, answers, arguments
    ):
        os.environ |= variables("requests", requests_database.dsn)
        os.environ["REQUESTS_DATA_KEYS"] = json.dumps({"old": DATA_KEY, "new": NEW_KEY})
        os.environ["REQUESTS_DATA_KEY_ID"] = "new"
        outcome = await yichuang("keys", "rotate", *arguments)
        assert outcome.said == "requests: 601 values re-encrypted under new\n"
        rows = await execute(requests_database, "SELECT case_id, answer FROM correction_notice")
        found = {row["case_id"]: self.new.decrypt(row["answer"], ANSWER.context) for row in rows}
        assert found == answers

    async def test_a_row_that_somebody_holds_is_waited_for(
        self, yichuang, requests_database, answers
    ):
        os.environ |= variables("requests", requests_database.dsn)
        os.environ["REQUESTS_DATA_KEYS"] = json.dumps({"old": DATA_KEY, "new": NEW_KEY})
        os.environ["REQUESTS_DATA_KEY_ID"] = "new"
        held = "SELECT answer FROM correction_notice WHERE answer NOT LIKE 'new.%'"

        async def only_one_left() -> bool:
            return len(await execute(requests_database, held)) == 1

        holder = await asyncpg.connect(requests_database.dsn)
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM correction_notice LIMIT 1 FOR UPDATE")
            rotating = asyncio.create_task(yichuang("keys", "rotate", "requests"))
            await until(only_one_left)
            done, _ = await asyncio.wait({rotating}, timeout=1)
            assert not done
        await holder.close()
        assert (await rotating).code == 0
        assert await execute(requests_database, held) == []

    async def test_without_the_old_key_nothing_is_lost(self, yichuang, requests_database, answers):
        os.environ |= variables("requests", requests_database.dsn)
        os.environ["REQUESTS_DATA_KEYS"] = json.dumps({"new": NEW_KEY})
        os.environ["REQUESTS_DATA_KEY_ID"] = "new"
        outcome = await yichuang("keys", "rotate", "requests")
        assert outcome.code == 1
        assert "no data key named 'old'" in outcome.said
        rows = await execute(requests_database, "SELECT answer FROM correction_notice")
        assert all(self.old.is_current(row["answer"]) for row in rows)

    async def test_a_service_without_personal_data_is_refused(self, yichuang):
        outcome = await yichuang("keys", "rotate", "exchange")
        assert (outcome.code, "no encrypted data" in outcome.said) == (2, True)
