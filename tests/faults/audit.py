"""After a fault: every acknowledged request in every place exactly once, and in order."""

import contextlib
import json
from collections import Counter, defaultdict
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.topics import REQUESTS
from devstack.stack import Stack
from tests.faults.citizens import Record, until

#: Key, value and headers.
Raw = tuple[bytes, bytes, list[tuple[str, bytes]]]
SUBMITTED, WITHDRAWN = "request-submitted", "case-withdrawn"


async def query(stack: Stack, service: str, statement: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(stack.around.database_url[service])
    try:
        return await connection.fetch(statement, *arguments)
    finally:
        await connection.close()


async def nothing_lost_nothing_doubled(stack: Stack, record: Record) -> int:
    """Audit databases and topic for a record; return how many duplicates the topic carried.

    Raises:
        AssertionError: something was lost, doubled, half-present or out of order.
    """
    numbers = [taken.number for taken in record.requests]
    assert numbers
    assert len(set(numbers)) == len(numbers), "a number was given twice"
    await _stored_once(stack, record, numbers)
    await until("the outbox is empty", lambda: _outbox_is_empty(stack))
    await until("every notice is there", lambda: _has_notices(stack, record), seconds=90)
    await _noticed_once(stack, record, numbers)
    assert not await dead_letters(stack)
    return await _in_order_on_the_topic(stack, record)


async def _stored_once(stack: Stack, record: Record, numbers: list[str]) -> None:
    rows = await query(
        stack,
        "requests",
        "SELECT r.number, count(DISTINCT c.id) AS cases, count(h.version) AS steps, "
        "max(c.state) AS state FROM citizen_request r JOIN service_case c ON c.request_id = r.id "
        "JOIN case_history h ON h.case_id = c.id WHERE r.number = ANY($1) GROUP BY r.number",
        numbers,
    )
    stored = {row["number"]: row for row in rows}
    for taken in record.requests:
        row = stored.get(taken.number)
        assert row is not None, f"{taken.number} was acknowledged and is not stored"
        assert row["cases"] == 1
        assert row["steps"] == (2 if taken.withdrawn else 1), f"{taken.number} is half-present"
        assert row["state"] == ("withdrawn" if taken.withdrawn else "received")


async def _outbox_is_empty(stack: Stack) -> bool:
    [row] = await query(stack, "requests", "SELECT count(*) AS n FROM outbox_message")
    return row["n"] == 0


async def _notices(stack: Stack, numbers: list[str]) -> Counter[tuple[str, str]]:
    rows = await query(
        stack,
        "exchange",
        "SELECT request_number, template FROM notice WHERE request_number = ANY($1)",
        numbers,
    )
    return Counter((row["request_number"], row["template"]) for row in rows)


def _expected(record: Record) -> set[tuple[str, str]]:
    expected = {(taken.number, SUBMITTED) for taken in record.requests}
    return expected | {(taken.number, WITHDRAWN) for taken in record.requests if taken.withdrawn}


async def _has_notices(stack: Stack, record: Record) -> bool:
    numbers = [taken.number for taken in record.requests]
    return _expected(record) <= (await _notices(stack, numbers)).keys()


async def _noticed_once(stack: Stack, record: Record, numbers: list[str]) -> None:
    notices = await _notices(stack, numbers)
    doubled = {key: count for key, count in notices.items() if count != 1}
    assert not doubled, f"told more than once: {doubled}"
    assert notices.keys() == _expected(record)


async def _in_order_on_the_topic(stack: Stack, record: Record) -> int:
    """First appearances per request: submitted before withdrawn. Returns repeated event ids."""
    acknowledged = {taken.number for taken in record.requests}
    seen: set[str] = set()
    order: dict[str, list[str]] = defaultdict(list)
    repeated = 0
    for event_id, event_type, event in await topic_events(stack):
        if event["request_number"] not in acknowledged:
            continue
        if event_id in seen:
            repeated += 1
            continue
        seen.add(event_id)
        order[event["request_number"]].append(event_type.split(".")[3])
    for taken in record.requests:
        wanted = [SUBMITTED, WITHDRAWN] if taken.withdrawn else [SUBMITTED]
        assert order[taken.number] == wanted, f"{taken.number}: {order[taken.number]}"
    return repeated


async def topic_events(stack: Stack, topic: str = REQUESTS) -> list[tuple[str, str, Any]]:
    """Everything on a topic: event id, type and body, in order per partition."""
    events = []
    for _, value, headers in await raw_records(stack, topic):
        named = dict(headers)
        with contextlib.suppress(KeyError, ValueError):  # poison
            event_id, event_type = named["ce_id"].decode(), named["ce_type"].decode()
            events.append((event_id, event_type, json.loads(value)))
    return events


async def raw_records(stack: Stack, topic: str) -> list[Raw]:
    """Every record of a topic as it is: key, value, headers; in order per partition."""
    servers = stack.broker.bootstrap_servers
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in await _partitions(servers, topic)]
        consumer.assign(partitions)
        records: list[Raw] = []
        for partition, end in (await consumer.end_offsets(partitions)).items():
            while await consumer.position(partition) < end:
                batch = await consumer.getmany(partition, timeout_ms=1000)
                for message in batch.get(partition, ()):
                    records.append((message.key, message.value, list(message.headers)))
        return records
    finally:
        await consumer.stop()


async def dead_letters(stack: Stack) -> list[Any]:
    """Everything in the dead-letter topics."""
    names = await dead_letter_topics(stack)
    return [event for name in names for event in await topic_events(stack, name)]


async def dead_letter_topics(stack: Stack) -> list[str]:
    """One for each group of consumers of each topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.broker.bootstrap_servers)
    await admin.start()
    try:
        return [name for name in await admin.list_topics() if ".dlq." in name]
    finally:
        await admin.close()


async def _partitions(servers: str, topic: str) -> list[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        [described] = await admin.describe_topics([topic])
        return sorted(partition["partition"] for partition in described["partitions"])
    finally:
        await admin.close()
