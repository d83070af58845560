"""What our HTTP server writes, and in how many pieces."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from servicekit.server import OneWriteProtocol


class Wire(asyncio.Transport):
    """Keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes: list[bytes] = []
        self.is_closed = self.was_closed = False

    def write(self, data) -> None:
        if data:
            self.writes.append(bytes(data))

    def writelines(self, parts) -> None:
        self.write(b"".join(parts))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def resume_reading(self) -> None: ...

    def pause_reading(self) -> None: ...


def answering(*parts: bytes, status=200, length=None):
    """An application that answers with these parts."""
    headers = [] if length is None else [(b"content-length", str(length).encode())]

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


async def written(app, *requests: bytes) -> Wire:
    """Serve requests that arrive at once on one connection."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    protocol = OneWriteProtocol(config, state, {})
    wire = Wire()
    protocol.connection_made(wire)
    protocol.data_received(b"".join(requests))
    while state.tasks:
        await asyncio.gather(*state.tasks)
    wire.was_closed = wire.is_closed
    protocol.connection_lost(None)
    return wire


def asking(method=b"GET", *headers: bytes, version=b"1.1") -> bytes:
    return b"\r\n".join([b"%b / HTTP/%b" % (method, version), b"host: x", *headers, b"", b""])


class TestWrites:
    async def test_head_and_body_leave_together(self):
        wire = await written(answering(b"ok", length=2), asking())
        assert len(wire.writes) == 1
        assert wire.writes[0].startswith(b"HTTP/1.1 200 OK\r\n")
        assert wire.writes[0].endswith(b"\r\n\r\nok")

    async def test_later_parts_leave_at_once_whatever_they_look_like(self):
        parts = (b"a", b"HTTP/1.1 200 OK\r\n", b"b")
        wire = await written(answering(*parts, length=19), asking())
        assert [wire.writes[0][-1:], *wire.writes[1:]] == list(parts)

    @pytest.mark.parametrize(
        ("request_", "app"),
        [
            (asking(b"HEAD"), answering(length=9)),
            (asking(), answering(status=304, length=0)),
            (asking(), answering(length=0)),
            (asking(version=b"1.0"), answering(length=0)),
            (asking(b"HEAD", version=b"1.0"), answering(length=9)),
        ],
    )
    async def test_a_head_without_a_body_is_not_kept_back(self, request_, app):
        wire = await written(app, request_)
        assert len(wire.writes) == 1
        assert wire.writes[0].endswith(b"\r\n\r\n")
        assert wire.was_closed is (b"/1.0" in request_)

    async def test_requests_that_came_together_are_answered_in_order(self):
        wire = await written(answering(b"ok", length=2), asking(), asking(), asking())
        assert b"".join(wire.writes).count(b"\r\n\r\nok") == 3

    async def test_an_answer_that_breaks_off_has_begun(self):
        async def broken(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError("broken")

        wire = await written(broken, asking())
        assert wire.writes[0].startswith(b"HTTP/1.1 200")
        assert wire.was_closed

    async def test_an_invitation_to_send_is_not_kept_back(self):
        async def reading(scope, receive, send):
            await receive()
            assert wire_now().startswith(b"HTTP/1.1 100 Continue")
            await answering(b"ok", length=2)(scope, receive, send)

        wires: list[bytes] = []

        class Watched(Wire):
            def write(self, data) -> None:
                super().write(data)
                wires.append(bytes(data))

        def wire_now() -> bytes:
            return b"".join(wires)

        config = uvicorn.Config(reading, lifespan="off", log_config=None, access_log=False)
        config.load()
        state = ServerState()
        protocol = OneWriteProtocol(config, state, {})
        protocol.connection_made(Watched())
        protocol.data_received(asking(b"POST", b"expect: 100-continue", b"content-length: 0"))
        while state.tasks:
            await asyncio.gather(*state.tasks)
        protocol.connection_lost(None)
        assert wire_now().endswith(b"\r\n\r\nok")
