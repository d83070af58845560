"""uvicorn's HTTP protocol, but an answer's head leaves together with the first part of its body."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWriteProtocol(HttpToolsProtocol):
    """Spares each answer a system call, and its reader a second wake-up (ADR 0044)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write through a transport that knows which answer is under way."""
        super().connection_made(_HeadHolder(self, transport))  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        """An answer without a body has only its head to send."""
        self.transport.write(b"")
        super().on_response_complete()


class _HeadHolder:
    """A transport that keeps what opens an answer until something follows it."""

    def __init__(self, protocol: HttpToolsProtocol, transport: Any) -> None:
        self._protocol = protocol
        self._transport = transport
        self._answered: object = None
        self._head = b""
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        cycle = self._protocol.cycle
        if cycle is not self._answered and cycle.response_started:
            self._answered, self._head = cycle, data
        elif self._head or data:
            held, self._head = self._head, b""
            self._transport.writelines((held, data))

    def close(self) -> None:
        self.write(b"")
        self._transport.close()
