"""Bodies as they arrive: whole, in parts, too slowly, or not at all."""

import asyncio

import pytest

from gateway.bodies import BUFFER_BYTES, ClientGone, RequestBody
from gateway.problems import BodyTooSlow
from servicekit.errors import BodyTooLarge


def arriving(*parts: bytes, ends: bool = True, leaves: bool = False):
    """ASGI's receive: these parts, then the end, the caller's leaving, or silence."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if ends:
        messages[-1]["more_body"] = False
    if leaves:
        messages.append({"type": "http.disconnect"})

    async def receive():
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive


def body(receive, *, limit: int = 1_000_000, length: int | None = None) -> RequestBody:
    return RequestBody(receive, limit_bytes=limit, content_length=length, idle_seconds=0.02)


class Stopwatch:
    """A clock that remembers how it was used."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")


async def streamed(found: RequestBody, clock: Stopwatch | None = None) -> bytes:
    return b"".join([part async for part in found.stream(clock or Stopwatch())])


class TestLoad:
    async def test_a_small_body_in_parts_is_read_whole(self):
        found = body(arriving(b"ab", b"cd"), length=4)
        await found.load()
        assert found.buffered == b"abcd"
        assert found.is_read

    async def test_a_large_one_is_only_begun(self):
        found = body(arriving(b"ab", b"cd"), length=BUFFER_BYTES + 1)
        await found.load()
        assert found.buffered is None
        assert not found.is_read
        assert await streamed(found) == b"abcd"
        assert found.is_read

    async def test_one_of_unknown_length_is_only_begun(self):
        found = body(arriving(b"ab", b"", b"cd"))
        await found.load()
        assert found.buffered is None
        assert await streamed(found) == b"abcd"

    async def test_a_declared_oversize_is_refused_unread(self):
        with pytest.raises(BodyTooLarge):
            await body(arriving(b"ab", ends=False), limit=10, length=11).load()

    async def test_a_caller_who_falls_silent_is_given_up(self):
        with pytest.raises(BodyTooSlow):
            await body(arriving(b"ab", ends=False), length=4).load()

    async def test_a_caller_who_leaves_is_told_apart(self):
        with pytest.raises(ClientGone):
            await body(arriving(b"ab", ends=False, leaves=True), length=4).load()


class TestStream:
    @pytest.mark.parametrize(
        ("receive", "limit", "failure"),
        [
            (arriving(b"ab", ends=False), 10, BodyTooSlow),
            (arriving(b"ab", ends=False, leaves=True), 10, ClientGone),
            (arriving(b"ab", b"cdef"), 5, BodyTooLarge),
        ],
    )
    async def test_remembers_why_it_broke_off(self, receive, limit, failure):
        found = body(receive, limit=limit)
        await found.load()
        with pytest.raises(failure):
            await streamed(found)
        assert isinstance(found.failure, failure)

    async def test_the_service_s_time_stands_still_meanwhile(self):
        found = body(arriving(b"ab", b"cd", b"ef"))
        await found.load()
        clock = Stopwatch()
        assert await streamed(found, clock) == b"abcdef"
        assert clock.calls == ["pause", "resume"] * 2
