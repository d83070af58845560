"""What can happen to the world, each bounded in time and followed by its mending."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaProducer

from contracts.envelope import Envelope, Event
from contracts.requests import RequestSubmitted
from contracts.topics import EVALUATION, REQUESTS
from devstack.layout import SERVICES
from servicekit.identifiers import new_id
from servicekit.outbox import now
from tests.faults.audit import raw_records
from tests.faults.storm.release import TABLES
from tests.faults.storm.world import World
from tests.support.service import subscriptions_of

PROCESSES = [
    *(f"{service}.{process}" for service in SERVICES for process in ("api", "worker")),
    "gateway.api",
]
#: Facts that no consumer knows: they fill the outbox and have no effect.
BALLAST = (
    "INSERT INTO outbox_message (id, topic, key, type, payload) "
    "SELECT gen_random_uuid(), $1, gen_random_uuid()::text, "
    "'cn.yichuang.requests.ballast.v1', '{}' FROM generate_series(1, $2::int)"
)
BALLAST_ROWS = 20_000


@dataclass
class Storm:
    """What the faults need, and what they leave for the audit."""

    world: World
    random: random.Random
    #: Records sent that a consumer group cannot read, by group.
    poison: Counter[str] = field(default_factory=Counter)

    def hold(self, least: float, most: float) -> float:
        """How long a fault lasts, seconds."""
        return self.random.uniform(least, most)


Fault = Callable[[Storm], Awaitable[str]]


async def kill(storm: Storm) -> str:
    """Kill -9; the supervisor starts it again."""
    name = storm.random.choice(PROCESSES)
    storm.world.stack.supervisor.kill(name, signal.SIGKILL)
    return name


async def kill_together(storm: Storm) -> str:
    """Kill -9 of an API and two workers at once."""
    names = ["requests.api", "requests.worker", "evaluation.worker"]
    for name in names:
        storm.world.stack.supervisor.kill(name, signal.SIGKILL)
    return " ".join(names)


async def freeze(storm: Storm) -> str:
    """SIGSTOP for some seconds: the others must not wait for it, nor it harm them on waking."""
    name = storm.random.choice(PROCESSES)
    storm.world.stack.supervisor.kill(name, signal.SIGSTOP)
    await asyncio.sleep(storm.hold(2, 6))
    storm.world.stack.supervisor.kill(name, signal.SIGCONT)
    return name


async def kill_broker(storm: Storm) -> str:
    """Kill -9 of Kafka."""
    await asyncio.to_thread(storm.world.broker.kill)
    await asyncio.sleep(storm.hold(0, 3))
    await asyncio.to_thread(storm.world.broker.start)
    return "kafka"


async def freeze_broker(storm: Storm) -> str:
    """SIGSTOP of Kafka: connections stay open, nothing answers."""
    storm.world.broker.suspend()
    await asyncio.sleep(storm.hold(2, 8))
    storm.world.broker.resume()
    return "kafka"


async def kill_database(storm: Storm) -> str:
    """Kill -9 of PostgreSQL, which recovers from its log."""
    await asyncio.to_thread(storm.world.postgres.kill)
    await asyncio.sleep(storm.hold(0, 2))
    await asyncio.to_thread(storm.world.postgres.start)
    return "postgresql"


async def freeze_database(storm: Storm) -> str:
    """SIGSTOP of PostgreSQL with all its processes."""
    await asyncio.to_thread(storm.world.postgres.suspend)
    await asyncio.sleep(storm.hold(2, 6))
    await asyncio.to_thread(storm.world.postgres.resume)
    return "postgresql"


async def part_broker(storm: Storm) -> str:
    """Nobody reaches Kafka, which runs: refused, or swallowed without a word."""
    link, silent = storm.world.links["kafka"], storm.random.random() < 0.5
    if silent:
        link.hang()
    else:
        link.cut()
    await asyncio.sleep(storm.hold(4, 9))
    link.mend()
    return "kafka, silent" if silent else "kafka, refused"


async def cut_link(storm: Storm) -> str:
    """Connections are reset and refused: a partition that is noticed."""
    name, link = storm.random.choice(sorted(storm.world.links.items()))
    link.cut()
    await asyncio.sleep(storm.hold(1, 6))
    link.mend()
    return name


async def hang_link(storm: Storm) -> str:
    """Nothing passes and nothing is refused: a partition that is not noticed."""
    name, link = storm.random.choice(sorted(storm.world.links.items()))
    link.hang()
    await asyncio.sleep(storm.hold(1, 6))
    link.mend()
    return name


async def slow_link(storm: Storm) -> str:
    """A long thin line: 40 ms and 256 KB a second."""
    name, link = storm.random.choice(sorted(storm.world.links.items()))
    link.slow(latency_seconds=0.04, bytes_per_second=262_144)
    await asyncio.sleep(storm.hold(3, 8))
    link.mend()
    return name


async def slow_disk(storm: Storm) -> str:
    """Every flush of PostgreSQL's log takes 50 ms longer."""
    await _as_superuser(
        storm, "ALTER SYSTEM SET commit_delay = 50000", "ALTER SYSTEM SET commit_siblings = 0"
    )
    await asyncio.sleep(storm.hold(3, 6))
    await _as_superuser(
        storm, "ALTER SYSTEM RESET commit_delay", "ALTER SYSTEM RESET commit_siblings"
    )
    return "postgresql"


async def jump_clock(storm: Storm) -> str:
    """The clock of the only worker of a service jumps by hours while it works."""
    seconds = storm.random.choice([-7200, 7200])
    service = storm.random.choice(["requests", "evaluation"])
    second = await storm.world.second_worker(service, jump_seconds=seconds)
    await storm.world.stack.supervisor.stop(f"{service}.worker")
    await asyncio.sleep(storm.hold(1, 2))
    second.send(signal.SIGUSR1)
    await asyncio.sleep(storm.hold(4, 7))
    await storm.world.stack.supervisor.start(f"{service}.worker")
    await second.stop()
    return f"{service}.worker {seconds:+d} s"


async def rival_workers(storm: Storm) -> str:
    """Two workers of one service fight for relay, timers and partitions; one is killed."""
    service = storm.random.choice(["requests", "evaluation", "exchange"])
    second = await storm.world.second_worker(service)
    await asyncio.sleep(storm.hold(4, 8))
    storm.world.stack.supervisor.kill(f"{service}.worker", signal.SIGKILL)
    await asyncio.sleep(storm.hold(1, 3))
    await second.stop()
    return service


async def roll_out(storm: Storm) -> str:
    """The next release: its migrations, its worker beside the old one, then worker and API anew."""
    service = storm.random.choice(sorted(TABLES))
    release = await storm.world.next_release(service)
    second = await storm.world.second_worker(service, release=release)
    await asyncio.sleep(storm.hold(3, 5))
    await storm.world.roll_out(release)
    await second.stop()
    return f"{service}, release {release.number}"


async def full_outbox(storm: Storm) -> str:
    """Thousands of facts before everybody else's."""
    connection = await asyncpg.connect(storm.world.stack.around.database_url["requests"])
    try:
        await connection.execute(BALLAST, REQUESTS, BALLAST_ROWS)
    finally:
        await connection.close()
    return f"{BALLAST_ROWS} facts"


async def poison(storm: Storm) -> str:
    """Records that no consumer can read, between those of residents."""
    headers = Envelope(new_id(), RequestSubmitted.event_type, "/requests", "x", now()).headers()
    unlike = Envelope(new_id(), RequestSubmitted.event_type, "/requests", "x", now()).headers()
    await _send(storm, REQUESTS, [(b"x", b"{not json", headers), (b"x", b"{}", unlike)])
    await _send(storm, REQUESTS, [(b"x", b"{}", [])])
    for group, knows_the_type in readers(REQUESTS, RequestSubmitted).items():
        storm.poison[group] += 3 if knows_the_type else 1  # without a type nobody can pass it by
    return f"3 records on {REQUESTS}"


def readers(topic: str, event: type[Event]) -> dict[str, bool]:
    """Every consumer group of a topic, and whether it takes an event."""
    subscriptions = [each for name in SERVICES for each in subscriptions_of(name)]
    return {each.group: event in each.handlers for each in subscriptions if topic in each.topics}


async def duplicates(storm: Storm) -> str:
    """What was on a topic comes again, out of order."""
    topic = storm.random.choice([REQUESTS, EVALUATION])
    records = await raw_records(storm.world.stack, topic)
    again = [storm.random.choice(records) for _ in range(min(200, len(records)))]
    again = [each for each in again if each[1].startswith(b'{"')]
    await _send(storm, topic, again)
    return f"{len(again)} of {topic}"


#: Name → fault and how often it comes, relative to the others.
FAULTS: dict[str, tuple[Fault, int]] = {
    "kill -9 of a process": (kill, 5),
    "kill -9 of three processes": (kill_together, 2),
    "SIGSTOP of a process": (freeze, 4),
    "kill -9 of Kafka": (kill_broker, 1),
    "SIGSTOP of Kafka": (freeze_broker, 1),
    "kill -9 of PostgreSQL": (kill_database, 1),
    "SIGSTOP of PostgreSQL": (freeze_database, 1),
    "partition of Kafka": (part_broker, 2),
    "network cut": (cut_link, 2),
    "network silent": (hang_link, 2),
    "network slow": (slow_link, 1),
    "disk slow": (slow_disk, 1),
    "clock jumps": (jump_clock, 1),
    "two workers": (rival_workers, 2),
    "deployment": (roll_out, 1),
    "full outbox": (full_outbox, 1),
    "poison": (poison, 1),
    "duplicates": (duplicates, 1),
}


def in_turn(chooser: random.Random) -> list[str]:
    """Names of faults: each at least once, in random order; then again by weight."""
    first = list(FAULTS)
    chooser.shuffle(first)
    weights = [weight for _, weight in FAULTS.values()]
    return first + chooser.choices(list(FAULTS), weights=weights, k=10_000)


async def _as_superuser(storm: Storm, *statements: str) -> None:
    connection = await asyncpg.connect(storm.world.postgres.superuser_dsn)
    try:
        for statement in (*statements, "SELECT pg_reload_conf()"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def _send(
    storm: Storm, topic: str, records: list[tuple[bytes, bytes, list[tuple[str, bytes]]]]
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=storm.world.broker.bootstrap_servers)
    await producer.start()
    try:
        for key, value, headers in records:
            await producer.send_and_wait(topic, value, key=key, headers=headers)
    finally:
        await producer.stop()
