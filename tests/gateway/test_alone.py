"""The gateway with everything else away: what it can do, it does; the rest it says plainly."""

import pytest

from gateway.app import create_app
from tests.gateway.conftest import NOWHERE, gateway_settings, running_gateway
from tests.gateway.servers import client_of, serve
from tests.gateway.test_proxy import EchoService
from tests.support.service import TestDatabase

GONE = TestDatabase("postgresql://gateway:x@127.0.0.1:9/gateway", "")
SERVICES = ("catalogue", "requests", "facilities", "evaluation", "exchange")


class TestWithoutDatabase:
    async def test_forwards_for_strangers_and_for_holders_of_a_token(self, gateway, tmp_path):
        tokens = await gateway.sign_in()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        async with serve(EchoService()) as address:
            urls = {f"{name}_url": address for name in SERVICES}
            keys = gateway.settings.signing_keys_file
            async for alone in running_gateway(
                GONE, gateway.issuer, tmp_path, signing_keys_file=keys, **urls
            ):
                assert (await alone.client.get("/v1/items")).status_code == 200
                answer = await alone.client.post("/v1/cases", json={}, headers=headers)
                assert answer.status_code == 200

    async def test_says_plainly_that_nobody_can_sign_in(self, gateway, tmp_path):
        async for alone in running_gateway(GONE, gateway.issuer, tmp_path):
            answer = await alone.client.post("/v1/sign-in/codes", json={"phone": "13700000001"})
            assert answer.status_code == 503
            assert answer.json()["code"] == "identity-unavailable"
            assert (await alone.client.get("/readyz")).status_code == 503
            assert (await alone.client.get("/livez")).status_code == 200


class TestWithoutServices:
    @pytest.mark.parametrize("path", ["/v1/items", "/v1/scores", "/v1/divisions"])
    async def test_each_absence_is_a_plain_refusal(self, gateway, path):
        assert gateway.settings.catalogue_url == NOWHERE
        answer = await gateway.client.get(path)
        assert answer.status_code == 503
        assert answer.json()["code"] == "service-unavailable"
        assert answer.json()["title"] == "这项服务暂时不可用，请稍后再试"

    async def test_people_can_still_sign_in(self, gateway):
        assert (await gateway.sign_in())["access_token"]


class TestServed:
    async def test_starts_and_ends_as_a_server_starts_it(self, gateway, tmp_path):
        """The whole of it on a socket: lifespan, health, the service, no websockets."""
        async with serve(EchoService()) as address:
            urls = {f"{name}_url": address for name in SERVICES}
            edge = create_app(gateway_settings(gateway.at.dsn, tmp_path, **urls))
            async with serve(edge, lifespan="on") as base, client_of(base) as client:
                assert (await client.get("/readyz")).status == 200
                assert (await client.get("/v1/items")).status == 200
                assert (await client.get("/.well-known/jwks.json")).json()["keys"]

    async def test_websockets_are_turned_away(self, gateway, tmp_path):
        edge = create_app(gateway_settings(gateway.at.dsn, tmp_path))
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "websocket.connect"}

        await edge({"type": "websocket", "path": "/v1/items", "headers": []}, receive, send)
        assert sent == [{"type": "websocket.close", "code": 1008}]
