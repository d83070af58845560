"""The worker: it starts without a broker, does everything at once, and stops when it is told."""

import asyncio
import os
import signal
from uuid import uuid4

import pytest

from devstack.ports import pick_free_port
from servicekit import worker
from servicekit.timers import set_timer
from servicekit.worker import WorkerParts, run_worker
from tests.servicekit.helpers import IN, effects, outbox_is_empty, until
from tests.servicekit.processes import ended, environment, is_up, process
from tests.servicekit.sample.definition import SERVICE
from tests.servicekit.sample.worker import announce, create_worker
from tests.support.service import settings_for
from tests.support.tokens import resident


@pytest.fixture
def settings(sample):
    return settings_for(
        SERVICE.settings,
        sample.at.dsn,
        kafka_bootstrap_servers=f"127.0.0.1:{pick_free_port()}",
        worker_metrics_port=pick_free_port(),
    )


async def set_due(database, kind: str) -> None:
    async with database.transaction() as session:
        due_at = (await session.execute(IN, {"seconds": -1})).scalar_one()
        await set_timer(session, kind, uuid4(), due_at)


class TestWithoutBroker:
    async def test_timers_jobs_and_health_work_and_a_signal_ends_it(
        self, sample, settings, database
    ):
        worked = asyncio.Event()

        async def job(of):
            async with of.reading():
                worked.set()
            await asyncio.Event().wait()

        parts = WorkerParts(
            subscriptions=create_worker(settings).subscriptions,
            timers={"announce": announce},
            jobs=[job],
        )
        before = asyncio.all_tasks()
        await set_due(database, "announce")
        running = asyncio.create_task(
            run_worker("sample", settings, parts, migrations=SERVICE.migrations)
        )
        await until(is_up(settings.worker_metrics_port))

        async def has_fired() -> bool:
            return await effects(sample) == ["announced"]

        await until(has_fired)
        await asyncio.wait_for(worked.wait(), 5)
        assert await sample.count("outbox_message") == 1
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 20)
        assert asyncio.all_tasks() <= before
        assert not await is_up(settings.worker_metrics_port, "/livez")()

    async def test_a_job_that_fails_ends_it_with_the_error(self, settings):
        async def job(_):
            raise LookupError("the job is broken")

        with pytest.raises(ExceptionGroup) as ended:
            await asyncio.wait_for(
                run_worker(
                    "sample", settings, WorkerParts(jobs=[job]), migrations=SERVICE.migrations
                ),
                20,
            )
        assert ended.group_contains(LookupError, match="the job is broken")

    async def test_old_notes_of_handled_events_and_keys_are_forgotten(
        self, sample, settings, monkeypatch
    ):
        monkeypatch.setattr(worker, "PRUNE_SECONDS", 0.01)
        for age in (0, 44, 46):
            await sample.fetch(
                "INSERT INTO processed_event (consumer, event_id, processed_at) "
                "VALUES ('sample', gen_random_uuid(), now() - make_interval(days => $1))",
                age,
            )
        for age in (0, 29, 31):
            await sample.fetch(
                "INSERT INTO idempotency_key (caller, key, body_hash, created_at) "
                "VALUES ('somebody', gen_random_uuid()::text, '', "
                "now() - make_interval(days => $1))",
                age,
            )

        async def is_pruned() -> bool:
            left = [await sample.count(name) for name in ("processed_event", "idempotency_key")]
            return left == [2, 2]

        running = asyncio.create_task(
            run_worker("sample", settings, WorkerParts(), migrations=SERVICE.migrations)
        )
        await until(is_pruned)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(running, 20)


async def write_note(sample, title: str) -> str:
    answer = await sample.client.post("/v1/notes", json={"title": title}, headers=resident())
    return answer.json()["id"]


async def has_taken_effect(sample, note_id: str) -> bool:
    """Other tests have written to the sample's topic, too."""
    return bool(await sample.fetch("SELECT 1 FROM effect WHERE subject = $1", note_id))


@pytest.mark.kafka
@pytest.mark.slow
class TestProcess:
    async def test_relays_consumes_and_stops_cleanly(self, sample, broker, sample_topics):
        port = pick_free_port()
        env = environment(
            sample,
            KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers,
            WORKER_METRICS_PORT=str(port),
        )
        async with process("worker", env) as child:
            await until(is_up(port))
            note = await write_note(sample, "一")
            await until(lambda: has_taken_effect(sample, note))
            await until(lambda: outbox_is_empty(sample))
            metrics = await until(is_up(port, "/metrics"))
            assert 'outbox_sent_total{topic="sample.notes.v1"} 1.0' in metrics.text
            assert '{consumer="sample.effects",outcome="handled"}' in metrics.text
            child.send_signal(signal.SIGTERM)
            status, out, err = await ended(child)
        assert (status, err) == (0, "")
        assert '"exception"' not in out

    async def test_stops_while_the_broker_stands_still(self, sample, breakable, sample_topics):
        port = pick_free_port()
        env = environment(
            sample,
            KAFKA_BOOTSTRAP_SERVERS=breakable.bootstrap_servers,
            WORKER_METRICS_PORT=str(port),
        )
        async with process("worker", env) as child:
            await until(is_up(port))
            note = await write_note(sample, "一")
            await until(lambda: has_taken_effect(sample, note))
            await asyncio.to_thread(breakable.suspend)
            await write_note(sample, "二")
            child.send_signal(signal.SIGTERM)
            status, _, err = await ended(child, within=15)
        assert (status, err) == (0, "")
        assert await sample.count("outbox_message") == 1
