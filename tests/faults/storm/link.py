"""A way between two programs that can be cut, silenced and slowed, as networks are."""

import asyncio
import contextlib
from typing import Self

_CHUNK_BYTES = 65_536


class Link:
    """Listens on a free port and passes everything on to a target on this machine."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._is_cut = False
        self._latency_seconds = 0.0
        self._bytes_per_second = float("inf")

    @property
    def port(self) -> int:
        assert self._server is not None, "the link was not started"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection, and each new one."""
        self._is_cut = True
        self._passing.set()
        for writer in list(self._writers):
            writer.transport.abort()

    def hang(self) -> None:
        """Pass nothing on: connections stay open and silent."""
        self._passing.clear()

    def slow(self, *, latency_seconds: float, bytes_per_second: float) -> None:
        """Delay each piece and limit how much goes through."""
        self._latency_seconds = latency_seconds
        self._bytes_per_second = bytes_per_second

    def mend(self) -> None:
        """Be a good link again; what hung goes on where it stood."""
        self._is_cut = False
        self._latency_seconds, self._bytes_per_second = 0.0, float("inf")
        self._passing.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._is_cut:
                return
            there = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            return
        else:
            self._writers.add(there[1])
            ways = {
                asyncio.create_task(self._pump(reader, there[1])),
                asyncio.create_task(self._pump(there[0], writer)),
            }
            _, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in rest:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers.discard(there[1])
            there[1].transport.abort()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK_BYTES):
                await self._passing.wait()
                wait = self._latency_seconds + len(chunk) / self._bytes_per_second
                if wait:
                    await asyncio.sleep(wait)
                if self._is_cut:
                    return
                writer.write(chunk)
                await writer.drain()
