"""Kill, stop and restart real parts; every 201 is in every consumer's effects exactly once."""

import asyncio
import signal

import pytest

from tests.faults.audit import nothing_lost_nothing_doubled, query
from tests.faults.citizens import Record, until

pytestmark = [pytest.mark.kafka, pytest.mark.rebalance, pytest.mark.slow, pytest.mark.timeout(400)]

OTHERS = [
    f"{service}.{process}"
    for service in ("catalogue", "facilities", "evaluation", "exchange")
    for process in ("api", "worker")
]

#: Hold every commit that touches a table, so that a kill lands between effect and commit.
HOLD = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(424242); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hold AFTER {event} ON {table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()
"""
RELEASE = "DROP TRIGGER hold ON {table}; DROP FUNCTION hold()"
WAITING = (
    "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = 424242 "
    "AND NOT granted"
)
ABORT = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
    "AND objid = 424242 AND NOT granted"
)


class Held:
    """While held, transactions that touched the table wait at their commit."""

    def __init__(self, stack, service, table, event):
        self.stack, self.service, self.table, self.event = stack, service, table, event

    async def __aenter__(self):
        import asyncpg

        self.connection = await asyncpg.connect(self.stack.around.database_url[self.service])
        await self.connection.execute(HOLD.format(table=self.table, event=self.event))
        await self.connection.execute("SELECT pg_advisory_lock(424242)")
        return self

    async def somebody_waits(self) -> bool:
        [row] = await self.connection.fetch(WAITING)
        return row["n"] > 0

    async def abort_waiting(self) -> None:
        """Roll the waiting transactions back: PostgreSQL would finish a commit it was asked for."""
        await self.connection.execute(ABORT)

    async def release(self) -> None:
        await self.connection.execute("SELECT pg_advisory_unlock(424242)")

    async def __aexit__(self, *_):
        await self.release()
        await self.connection.execute(RELEASE.format(table=self.table))
        await self.connection.close()


async def test_api_killed_between_commit_and_relay(stack, citizens):
    record = Record()
    await stack.supervisor.stop("requests.worker")
    await asyncio.gather(*(citizens.submit(record) for _ in range(20)))
    stack.supervisor.kill("requests.api", signal.SIGKILL)
    await stack.supervisor.start("requests.worker")
    await stack.supervisor.wait_until_ready("requests.api", "requests.worker")
    await nothing_lost_nothing_doubled(stack, record)


async def test_relay_killed_between_send_and_delete(stack, citizens):
    record = Record()
    await stack.supervisor.stop("requests.worker")
    await asyncio.gather(*(citizens.submit(record, withdraw=False) for _ in range(20)))
    async with Held(stack, "requests", "outbox_message", "DELETE") as held:
        await stack.supervisor.start("requests.worker")
        # The batch is with Kafka; its rows wait to be gone.
        await until("the relay waits at its commit", held.somebody_waits)
        stack.supervisor.kill("requests.worker", signal.SIGKILL)
        await held.abort_waiting()
    await stack.supervisor.wait_until_ready("requests.worker")
    repeated = await nothing_lost_nothing_doubled(stack, record)
    assert repeated >= 20, "the fault did not happen: the batch was not sent twice"


async def test_consumer_killed_between_effect_and_offset(stack, citizens):
    record = Record()

    async def notices() -> int:
        [row] = await query(stack, "exchange", "SELECT count(*) AS n FROM notice")
        return row["n"]

    await stack.supervisor.stop("exchange.worker")
    await asyncio.gather(*(citizens.submit(record, withdraw=False) for _ in range(20)))
    before = await notices()

    async def has_effect() -> bool:
        return await notices() > before

    async with Held(stack, "exchange", "notice", "INSERT") as held:
        await stack.supervisor.start("exchange.worker")
        await until("the consumer waits at its commit", held.somebody_waits)
        # The effect will be committed; the offset cannot reach a broker that is gone.
        await asyncio.to_thread(stack.broker.kill)
        await held.release()
        await until("the effect is committed", has_effect)
        stack.supervisor.kill("exchange.worker", signal.SIGKILL)
        await asyncio.to_thread(stack.broker.start)
    await stack.supervisor.wait_until_ready("exchange.worker")
    await nothing_lost_nothing_doubled(stack, record)
    duplicates = await until_metric(stack, "exchange", 'outcome="duplicate"')
    assert duplicates > 0, "the fault did not happen: nothing was delivered twice"


async def until_metric(stack, service: str, label: str) -> float:
    """Poll a worker's metrics until the consumer counter with a label is above zero."""
    import httpx

    url = f"http://127.0.0.1:{stack.ports.worker_metrics(service)}/metrics"
    found = 0.0

    async def probe() -> bool:
        nonlocal found
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(url)).text
        found = sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith("consumer_events_total{") and label in line
        )
        return found > 0

    await until(f"{service} counts {label}", probe, seconds=30)
    return found


async def test_kafka_away_for_a_minute_under_load(stack, citizens):
    record = Record()
    await asyncio.to_thread(stack.broker.stop)
    await citizens.load(record, clients=4, seconds=60, pause=0.2)
    assert record.retries == 0, "intake noticed that Kafka was away"
    await asyncio.to_thread(stack.broker.start)
    await nothing_lost_nothing_doubled(stack, record)


async def test_postgres_restarted_under_load(stack, citizens):
    record = Record()
    loading = asyncio.create_task(citizens.load(record, clients=8, seconds=8))

    async def some_are_in() -> bool:
        return len(record.requests) > 20

    await until("the load has begun", some_are_in)
    await asyncio.to_thread(stack.postgres.kill)
    await asyncio.to_thread(stack.postgres.start)
    await loading
    assert record.retries > 0, "the fault did not happen: nobody had to try again"
    await nothing_lost_nothing_doubled(stack, record)


async def test_intake_goes_on_with_everything_else_stopped(stack, citizens):
    record = Record()
    for name in OTHERS:
        await stack.supervisor.stop(name)
    await asyncio.to_thread(stack.broker.stop)
    await asyncio.gather(*(citizens.submit(record) for _ in range(50)))
    assert record.retries == 0
    assert len(record.requests) == 50
    await asyncio.to_thread(stack.broker.start)
    for name in OTHERS:
        await stack.supervisor.start(name)
    await stack.supervisor.wait_until_ready()
    await nothing_lost_nothing_doubled(stack, record)
