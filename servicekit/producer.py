"""The producer of a process: in order, kept by all replicas, and replaced when a send failed.

aiokafka numbers a batch before it sends it. A batch that is given up leaves a gap in the numbers,
and the broker refuses everything after a gap: for good, even when it was only stopped for a while.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

REQUEST_TIMEOUT_SECONDS = 10.0
SEND_TIMEOUT_SECONDS = 20.0
#: What requests under way get to end by themselves.
GRACE_SECONDS = 1.0


class Outgoing(NamedTuple):
    """One record on its way to Kafka."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Producer:
    """Connects when there is something to send. Concurrency: one sender at a time."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._current: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Send records in order and wait until all replicas have them.

        Raises:
            KafkaError, TimeoutError: any number of them may have arrived; those that have not
                will not arrive later, behind what is sent next.
        """
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            producer = await self._connected()
            futures: list[asyncio.Future[object]] = []
            try:
                for record in records:
                    futures.append(await producer.send(**record._asdict()))  # noqa: PERF401 - kept on failure
                await asyncio.gather(*futures)
            except (KafkaError, asyncio.CancelledError):
                if futures:
                    await self._discard(producer)
                raise

    async def stop(self) -> None:
        """Close; what is under way is dropped, whoever sends it will do so again."""
        if self._current is not None:
            await self._discard(self._current)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._current is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap_servers,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=262_144,
                    request_timeout_ms=int(REQUEST_TIMEOUT_SECONDS * 1000),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._current = producer
            return self._current

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        """End a producer with all it holds: its own `stop` would send that first, however late."""
        if self._current is producer:
            self._current = None
        sender = producer._sender.sender_task
        for _ in range(2):  # the first cancel waits for requests under way, the second does not
            sender.cancel()
            await asyncio.wait([sender], timeout=GRACE_SECONDS)
        producer._message_accumulator.fail_all(ProducerClosed())
        await producer.stop()
