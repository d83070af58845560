"""The worker process of a service: relay, consumers and timers as tasks of one process."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from servicekit import idempotency, inbox
from servicekit.bus import Consumer, Subscription
from servicekit.database import DATABASE_ERRORS, Database
from servicekit.health import MetricsServer, Readiness
from servicekit.logging import logger
from servicekit.migration_head import migration_chain
from servicekit.producer import Producer
from servicekit.relay import Relay
from servicekit.settings import ServiceSettings
from servicekit.timers import TimerHandler, Timers

PRUNE_SECONDS = 3600.0

#: Work of a service's own that runs beside relay, consumers and timers until cancelled.
Job = Callable[[Database], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a service's worker does beside relaying."""

    subscriptions: Sequence[Subscription] = ()
    timers: Mapping[str, TimerHandler] = field(default_factory=dict)
    jobs: Sequence[Job] = ()


async def run_worker(
    service: str, settings: ServiceSettings, parts: WorkerParts, *, migrations: str
) -> None:
    """Run until SIGTERM or SIGINT; what is in hand then is undone, and done again by the next."""
    database = Database(settings, application_name=f"{service}.worker")
    server = MetricsServer(settings.http_host, settings.worker_metrics_port)
    server.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    readiness = Readiness(database, migration_chain(migrations))
    beat = loop.create_task(server.heartbeat(readiness))
    body = loop.create_task(_body(settings, parts, database))
    stopped = loop.create_task(stop.wait())
    try:
        await asyncio.wait({beat, body, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for ended in (beat, body):
            if ended.done():
                await ended  # a task that ended by itself ended with an error
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        beat.cancel()
        body.cancel()
        stopped.cancel()
        await asyncio.gather(beat, body, stopped, return_exceptions=True)
        await database.close()
        server.stop()


async def _body(settings: ServiceSettings, parts: WorkerParts, database: Database) -> None:
    """Everything at once; what needs a broker waits for it by itself, the rest goes on."""
    producer = Producer(settings.kafka_bootstrap_servers)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(Relay(database, producer).run())
            for subscription in parts.subscriptions:
                consumer = Consumer(
                    subscription,
                    database=database,
                    bootstrap_servers=settings.kafka_bootstrap_servers,
                )
                group.create_task(consumer.run())
            if parts.timers:
                group.create_task(Timers(database, parts.timers).run())
            for job in parts.jobs:
                group.create_task(_run_job(job, database))
            group.create_task(_prune(database))
    finally:
        await producer.stop()


async def _run_job(job: Job, database: Database) -> None:
    await job(database)


async def _prune(database: Database) -> None:
    while True:
        await asyncio.sleep(PRUNE_SECONDS)
        try:
            async with database.transaction() as session:
                await inbox.prune(session)
                await idempotency.prune(session)
        except DATABASE_ERRORS as error:
            logger.warning("prune_failed", error=repr(error))
