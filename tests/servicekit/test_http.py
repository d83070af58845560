"""Clients for other people's services: bounded in time, and never led elsewhere."""

import asyncio

import httpx
import pytest

from servicekit.http import TIMEOUT_SECONDS, create_client


async def test_a_peer_that_says_nothing_is_given_up():
    over = asyncio.Event()

    async def say_nothing(_, writer):
        await over.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with create_client(timeout_seconds=0.1) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get(f"http://127.0.0.1:{port}/")
    finally:
        over.set()
        server.close()
        await server.wait_closed()


async def test_redirects_are_not_followed():
    async def elsewhere(_):
        return httpx.Response(302, headers={"location": "http://evil/"})

    async with create_client(transport=httpx.MockTransport(elsewhere)) as client:
        assert (await client.get("http://province/")).status_code == 302


async def test_every_client_has_an_end_to_its_patience():
    async with create_client(base_url="http://province") as client:
        assert client.timeout == httpx.Timeout(TIMEOUT_SECONDS)
        assert client.base_url == "http://province"
