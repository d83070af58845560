"""What relay and consumers carry, against intake and Kafka's own tools: `python -m bench.relay`.

One stack with intake, its worker and the worker of evaluation, each round: writers with and without
the relay beside them; a full outbox drained to Kafka; events from the outbox to their committed effect
in evaluation; single events at idle, from their commit to the commit of their effect; and Kafka's
producer and consumer performance tools on the same topic. Events are a real submission's, with other
ids. Needs Java and Maven.

Writers keep two thirds of their rate beside the relay where two cores carry the load itself, the API,
PostgreSQL, Kafka and the worker of evaluation as well; the mark is not reached there. What a submission
costs the worker is told beside it: most is the price of small batches, so events gather while many come
(`servicekit.relay.GATHER_SECONDS`), which took it from 0.30 to 0.18 ms and the share from 0.60 to 0.68.
"""

import argparse
import asyncio
import itertools
import sys
import time
from uuid import uuid4

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.client import Make, request, send
from bench.harness import Figure, Figures, cpu_seconds, percentile, scratch, show
from bench.kafka_tools import KafkaTools
from bench.outbox import POLL_SECONDS, WAIT_SECONDS, Outbox
from contracts.topics import REQUESTS, TOPICS
from devstack.jars import JarsUnavailable
from devstack.ports import pick_free_ports
from devstack.stack import Stack
from services.evaluation.evaluables.consumers import GROUP
from tests.faults.citizens import Citizens, body
from tests.support.service import subscriptions_of

NEEDED = {"requests.api", "requests.worker", "evaluation.worker", "gateway.api"}
RELAY, CONSUMER = "requests.worker", "evaluation.worker"
PEOPLE = 64
WARM_EVENTS = 200
#: Between two events at idle: longer than a nudge is held back, and no multiple of it.
PAUSE_SECONDS = 0.033
_EFFECTS = "SELECT count(*) FROM processed_event WHERE consumer = $1"
_EFFECT = "SELECT 1 FROM processed_event WHERE consumer = $1 AND event_id = $2"


class Bench:
    """One stack, the event of a real submission, and a connection to either end."""

    def __init__(self, stack: Stack, arguments: argparse.Namespace) -> None:
        self.stack, self.arguments = stack, arguments
        self.figures = Figures()
        self.api = stack.ports.http("requests")
        self.tools: KafkaTools | None = None
        self.trouble = ""

    async def prepare(self) -> None:
        """Know the item, make requests, take an event as a sample, connect."""
        citizens = Citizens(self.stack)
        await citizens.wait_until_intake_knows_the_item()
        content = orjson.dumps(body())
        heads = itertools.cycle([citizens.headers(uuid4()) for _ in range(PEOPLE)])
        await citizens.close()

        def make() -> bytes:
            headers = next(heads) | {"Idempotency-Key": str(uuid4())}
            return request("POST", "/v1/requests", headers, content)

        self.submit: Make = make
        for name in set(self.stack.supervisor.names) - NEEDED:
            await self.stack.supervisor.stop(name)
        url = self.stack.around.database_url
        self.outbox = await Outbox.open(url["requests"])
        self.effects = await asyncpg.connect(url["evaluation"])
        await self.outbox.until_empty()
        async with self.outbox.relay_held():
            await send(self.api, make, seconds=1, clients=self.arguments.clients, want=201)
            self.record_bytes = await self.outbox.take_sample()
        await self.outbox.until_empty()
        self.figures.add("bytes of an event", "", self.record_bytes)
        try:
            self.tools = await asyncio.to_thread(
                KafkaTools.there,
                self.stack.directory,
                self.stack.broker.bootstrap_servers,
                REQUESTS,
            )
        except JarsUnavailable as error:
            self.trouble = str(error)

    async def close(self) -> None:
        await self.outbox.close()
        await self.effects.close()

    async def round(self) -> None:
        """Everything once; ratios are of one round."""
        intake = await self._writers()
        await self.stack.supervisor.stop(CONSUMER)
        drained = await self._drain(self.arguments.events)
        self.figures.add("relay ÷ intake", "times", drained / intake, ">= 10")
        if self.tools is not None:
            await self._beside_kafka(self.tools, drained)
        await self._forget()
        await self._start(CONSUMER)
        await self._through(self.arguments.events // 20)
        await self._idle()

    async def _writers(self) -> float:
        """Submissions a second without the relay; beside it, the share that is left and its cost."""
        rates = {}
        for name in ("beside the relay", "alone"):
            if name == "alone":
                await self.stack.supervisor.stop(RELAY)
            pid = self.stack.supervisor.pid(RELAY)
            before, whole = cpu_seconds(pid) if pid else 0.0, self._intake_cpu()
            load = await send(
                self.api, self.submit, seconds=self.arguments.seconds,
                clients=self.arguments.clients, want=201,
            )  # fmt: skip
            rates[name] = load.rate
            self.figures.add(f"writers {name}: submissions", "1/s", load.rate)
            if pid:
                spent = (cpu_seconds(pid) - before) * 1e6 / len(load.times)
                self.figures.add("worker beside writers: CPU of a submission", "µs", spent)
        self._submission_cpu = (self._intake_cpu() - whole) * 1e6 / len(load.times)
        await self._start(RELAY)
        await self.outbox.until_empty()
        share = rates["beside the relay"] / rates["alone"]
        self.figures.add("writers beside the relay ÷ alone", "", share, ">= 0.85")
        return rates["alone"]

    async def _drain(self, events: int) -> float:
        """Events a second from a full outbox to Kafka's acknowledgement, committed."""
        pid = self.stack.supervisor.pid(RELAY)
        assert pid is not None
        async with self.outbox.relay_held():
            await self.outbox.fill(events)
            before, whole = cpu_seconds(pid), self._relay_cpu(pid)
        started = time.perf_counter()
        await self.outbox.until_empty()
        seconds = time.perf_counter() - started
        self.figures.add(f"relay: {events:,} waiting events drained", "1/s", events / seconds)
        spent = (cpu_seconds(pid) - before) * 1e6 / events
        self.figures.add("relay: CPU of an event", "µs", spent)
        all_spent = (self._relay_cpu(pid) - whole) * 1e6 / events
        self.figures.add("relay, PostgreSQL and Kafka: CPU of an event", "µs", all_spent)
        # What the rates would come to if neither had to wait for anything, on whatever machine.
        ratio = self._submission_cpu / all_spent
        self.figures.add("CPU: a submission ÷ a relayed event", "times", ratio)
        return events / seconds

    def _intake_cpu(self) -> float:
        """Seconds that the API and PostgreSQL have used."""
        pids = self.stack.supervisor.pid("requests.api"), self.stack.postgres.pid
        return cpu_seconds(*(pid for pid in pids if pid))

    def _relay_cpu(self, worker: int) -> float:
        """Seconds that the worker, PostgreSQL and Kafka have used."""
        pids = worker, self.stack.postgres.pid, self.stack.broker.pid
        return cpu_seconds(*(pid for pid in pids if pid))

    async def _beside_kafka(self, tools: KafkaTools, drained: float) -> None:
        events = self.arguments.events
        produced = await asyncio.to_thread(tools.produce, events, self.record_bytes)
        consumed = await asyncio.to_thread(tools.consume, events)
        self.figures.add("kafka-producer-perf-test", "1/s", produced)
        self.figures.add("kafka-consumer-perf-test", "1/s", consumed)
        self.figures.add("relay ÷ kafka-producer-perf-test", "", drained / produced)
        self._consumer_perf = consumed

    async def _through(self, events: int) -> None:
        """Events a second from the outbox to their effect in another service, both committed."""
        pid = self.stack.supervisor.pid(CONSUMER)
        assert pid is not None
        await self._take_effect(WARM_EVENTS)  # it has just been started, and joins its groups
        before = cpu_seconds(pid)
        rate = events / await self._take_effect(events)
        self.figures.add(f"{events:,} events to their effect in evaluation", "1/s", rate)
        spent = (cpu_seconds(pid) - before) * 1e6 / events
        self.figures.add("evaluation: CPU of an event", "µs", spent)
        if self.tools is not None:
            self.figures.add("effects ÷ kafka-consumer-perf-test", "", rate / self._consumer_perf)

    async def _take_effect(self, events: int) -> float:
        """Seconds from the release of waiting events to the last of their effects."""
        before = await self.effects.fetchval(_EFFECTS, GROUP)
        async with self.outbox.relay_held():
            await self.outbox.fill(events)
        started = time.perf_counter()
        while await self.effects.fetchval(_EFFECTS, GROUP) < before + events:
            if time.perf_counter() > started + WAIT_SECONDS:
                raise TimeoutError("evaluation did not take the events in time")
            await asyncio.sleep(POLL_SECONDS)
        return time.perf_counter() - started

    async def _idle(self) -> None:
        """Milliseconds of single events from their commit to the commit of their effect."""
        times = []
        async with self.outbox.one_by_one() as single:
            for _ in range(self.arguments.probes):
                event_id = await single.commit()
                started = time.perf_counter()
                single.nudge()
                while not await self.effects.fetchval(_EFFECT, GROUP, event_id):
                    if time.perf_counter() > started + WAIT_SECONDS:
                        raise TimeoutError("an event found no effect")
                    await asyncio.sleep(0.001)
                times.append((time.perf_counter() - started) * 1000)
                await asyncio.sleep(PAUSE_SECONDS)
        self.figures.add("at idle, commit to effect: p50", "ms", percentile(times, 50))
        self.figures.add("at idle, commit to effect: p99", "ms", percentile(times, 99), "<= 50")

    async def _start(self, name: str) -> None:
        await self.stack.supervisor.start(name)
        await self.stack.supervisor.wait_until_ready(name)

    async def _forget(self) -> None:
        """Let evaluation begin behind what was drained and what the tools sent."""
        partitions = [
            TopicPartition(REQUESTS, number) for number in range(TOPICS[REQUESTS].partitions)
        ]
        for subscription in subscriptions_of("evaluation"):
            if REQUESTS not in subscription.topics:
                continue
            kafka = AIOKafkaConsumer(
                bootstrap_servers=self.stack.broker.bootstrap_servers,
                group_id=subscription.group,
                enable_auto_commit=False,
            )
            await kafka.start()
            try:
                kafka.assign(partitions)
                await kafka.commit(dict(await kafka.end_offsets(partitions)))
            finally:
                await kafka.stop()


async def measure(arguments: argparse.Namespace) -> tuple[list[Figure], str]:
    with scratch() as directory:
        async with Stack(directory, pick_free_ports(), log_level="error") as stack:
            bench = Bench(stack, arguments)
            await bench.prepare()
            for _ in range(arguments.rounds):
                await bench.round()
            await bench.close()
            return list(bench.figures.values()), bench.trouble


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000, help="that wait in a full outbox")
    parser.add_argument("--seconds", type=float, default=5, help="of writing")
    parser.add_argument("--clients", type=int, default=32, help="that write")
    parser.add_argument("--probes", type=int, default=300, help="single events at idle")
    arguments = parser.parse_args()
    figures, trouble = asyncio.run(measure(arguments))
    show(f"Relay and consumers: {arguments.clients} writers", figures)
    if trouble:
        sys.exit(f"without Kafka's own tools: {trouble}")


if __name__ == "__main__":
    main()
