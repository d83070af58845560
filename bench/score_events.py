"""How many events a second one worker of evaluation brings into the scores: `python -m bench.score_events`.

Chunks of finished cases go through the consumer as they come from Kafka (parsed, inbox, copy of the
case, service opened, all roll-ups, outbox, commit) into a database with ratings. No broker takes
part. With `--profile` it is told where the time goes.
"""

import argparse
import asyncio
import cProfile
import pstats
import random
import time
from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event

from bench import ratings
from bench.harness import Figure, scratch, show
from contracts.envelope import Envelope
from contracts.requests import CaseCompleted
from servicekit.bus import CHUNK_EVENTS, Consumer
from servicekit.database import Database
from services.evaluation.evaluables.consumers import create_subscription
from services.evaluation.settings import EvaluationSettings
from tests.support.service import settings_for


def finished(rng: random.Random) -> CaseCompleted:
    """A case of some village, unit, window and person of the city."""
    county = rng.randrange(13)
    village = f"1408{county + 1:02}{rng.randrange(10) + 1:03}{rng.randrange(20) + 1:03}"
    return CaseCompleted(
        request_id=uuid4(), request_number="140802-250110-00001", applicant_id=uuid4(),
        division_code=village, occurred_at=datetime.now(UTC), case_id=uuid4(),
        case_number=f"B{uuid4().hex[:12]}", case_version=5,
        item_id=UUID(int=rng.randrange(200)), item_code="bench", item_name="事项", item_version=1,
        unit_code=f"1408{county + 1:02}000000:unit-{chr(97 + rng.randrange(15))}",
        unit_name="单位", due_on=date(2025, 11, 30), result_code=0, completed_on=date(2025, 11, 20),
        handler_id=UUID(int=rng.randrange(3000)), handler_name="李办事",
        window_code=str(rng.randrange(8) + 1), facility_id=UUID(int=rng.randrange(2600)),
    )  # fmt: skip


def as_record(one: CaseCompleted, offset: int) -> Any:
    """The event as Kafka's client hands it over."""
    envelope = Envelope(
        id=uuid4(), type=one.event_type, source=one.source, subject=one.key, time=datetime.now(UTC)
    )
    return SimpleNamespace(
        topic=one.topic, partition=0, offset=offset, key=one.key.encode(),
        value=one.model_dump_json().encode(), headers=envelope.headers(),
    )  # fmt: skip


async def measure(dsn: str, chunks: int, profile: bool) -> list[Figure]:
    """Events a second, and what a chunk asks of the database."""
    settings = settings_for(EvaluationSettings, dsn)
    assert isinstance(settings, EvaluationSettings)
    database = Database(settings, application_name="bench")
    consumer = Consumer(
        create_subscription(settings), database=database, bootstrap_servers="127.0.0.1:9"
    )
    rng = random.Random(7)
    spent: dict[str, list[float]] = defaultdict(list)
    _watch(database, spent)
    rates, total = [], chunks + 3
    profiler = cProfile.Profile()
    for n in range(total):
        records = [as_record(finished(rng), offset) for offset in range(CHUNK_EVENTS)]
        if n == 3:
            spent.clear()
            if profile:
                profiler.enable()
        started = time.perf_counter()
        assert await consumer._whole_chunk(records)
        if n >= 3:
            rates.append(CHUNK_EVENTS / (time.perf_counter() - started))
    profiler.disable()
    await database.close()
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(18)
        for statement, times in sorted(spent.items(), key=lambda each: -sum(each[1]))[:16]:
            print(
                f"{sum(times) / chunks * 1000:8.1f} ms, {len(times) / chunks:6.1f} times: {statement}"
            )
    statements = sum(len(times) for times in spent.values()) / chunks
    waited = sum(sum(times) for times in spent.values()) / chunks * 1000
    return [
        Figure("finished cases taken in", "1/s", rates),
        Figure("statements a chunk of 100", "", [statements]),
        Figure("of its time, in statements", "ms", [waited]),
    ]


def _watch(database: Database, spent: dict[str, list[float]]) -> None:
    """Note how long each statement took, by its beginning."""
    engine = database.engine.sync_engine
    begun: list[float] = []
    event.listen(engine, "before_cursor_execute", lambda *_: begun.append(time.perf_counter()))

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        spent[" ".join(statement.split())[:90]].append(time.perf_counter() - begun.pop())

    event.listen(engine, "after_cursor_execute", note)


async def run(directory: Path, size: int, chunks: int, profile: bool) -> None:
    with ratings.server_at(directory) as server:
        dsn = await ratings.prepare(server, size)
        figures = await measure(dsn, chunks, profile)
    show(f"One worker beside {size:,} ratings", figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=100_000)
    parser.add_argument("--chunks", type=int, default=30)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--at", type=Path, help="a directory in which the databases stay")
    arguments = parser.parse_args()
    with scratch() as directory:
        asyncio.run(
            run(
                arguments.at or directory,
                arguments.ratings,
                arguments.chunks,
                arguments.profile,
            )
        )


if __name__ == "__main__":
    main()
