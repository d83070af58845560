"""A small HTTP/1.1 client for loads: prepared bytes out, status and length in, nothing else.

A comfortable client would take as much of the machine as the server it measures.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Makes the bytes of one request.
Make = Callable[[], bytes]


@dataclass
class Load:
    """What came of sending for a time."""

    seconds: float
    #: Seconds of each answered request.
    times: list[float] = field(default_factory=list)
    #: Answers with another status than hoped for, by status.
    others: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers as hoped for, a second."""
        return len(self.times) / self.seconds


class _Connection(asyncio.Protocol):
    """One connection that sends the next request when the last is answered."""

    def __init__(self, make: Make, load: Load, want: int, until: float, pause: float) -> None:
        self._make, self._load, self._want, self._until = make, load, want, until
        self._pause = pause
        self._buffer = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        if self._sent >= self._until:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(body) < int(length or b"0"):
            return
        self._buffer = b""
        status = int(head[9:12])
        if status == self._want:
            self._load.times.append(time.perf_counter() - self._sent)
        else:
            self._load.others[status] = self._load.others.get(status, 0) + 1
        if self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._send)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended.done():
            return
        if exc is None or time.perf_counter() >= self._until:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(exc)


async def send(
    port: int,
    make: Make,
    *,
    seconds: float,
    clients: int,
    want: int = 200,
    rate: float | None = None,
) -> Load:
    """Send from so many connections for a time; `rate` bounds all of them together, a second.

    Raises:
        RuntimeError: an answer was not as hoped for.
    """
    loop, load = asyncio.get_running_loop(), Load(seconds)
    until = time.perf_counter() + seconds
    pause = clients / rate if rate else 0.0
    made = [
        (await loop.create_connection(
            lambda: _Connection(make, load, want, until, pause), "127.0.0.1", port
        ))[1]
        for _ in range(clients)
    ]  # fmt: skip
    await asyncio.gather(*(connection.ended for connection in made))
    if load.others:
        raise RuntimeError(f"port {port} answered {load.others} beside {len(load.times)} × {want}")
    return load


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
