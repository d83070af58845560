"""The gateway's keys: fetched, kept, fetched again, and done without for a while."""

import asyncio

import httpx
import pytest
from joserfc.jwk import ECKey

from servicekit import auth
from servicekit.auth import JwksKeys, KeysUnavailable, TokenRefused, TokenVerifier
from servicekit.http import create_client
from tests.servicekit.helpers import until
from tests.servicekit.jwks import new_key, sign
from tests.servicekit.sample.definition import SERVICE
from tests.support import tokens
from tests.support.service import settings_for


class Gateway:
    """Publishes keys, and counts how often it is asked."""

    def __init__(self, *keys: ECKey) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.is_away = False
        self.answer: object = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await self.gate.wait()
        if self.is_away:
            raise httpx.ConnectError("nobody answers")
        published = {"keys": [key.as_dict(private=False) for key in self.keys]}
        return httpx.Response(200, json=self.answer or published)

    async def was_asked_twice(self) -> bool:
        return self.asked == 2


@pytest.fixture
def old():
    return new_key("old")


@pytest.fixture
def new():
    return new_key("new")


@pytest.fixture
def gateway(old):
    return Gateway(old)


@pytest.fixture
async def keys(gateway):
    async with create_client(transport=httpx.MockTransport(gateway.handle)) as client:
        yield JwksKeys("http://gateway/.well-known/jwks.json", client)


@pytest.fixture
def verifier(keys):
    return TokenVerifier(keys)


def let_pass(keys: JwksKeys, seconds: float) -> None:
    """As if so much time had gone by since the keys were fetched and tried."""
    keys._fetched_at -= seconds
    keys._tried_at -= seconds


class TestKeys:
    async def test_are_fetched_once_for_many(self, verifier, gateway, old):
        await asyncio.gather(*(verifier.verify(sign(old)) for _ in range(20)))
        assert gateway.asked == 1

    async def test_are_fetched_again_when_they_are_old(self, verifier, keys, gateway, old):
        await verifier.verify(sign(old))
        let_pass(keys, auth.KEYS_MAX_AGE_SECONDS + 1)
        await verifier.verify(sign(old))
        assert gateway.asked == 2

    async def test_are_fetched_again_for_an_unknown_key_id(self, verifier, keys, gateway, old, new):
        await verifier.verify(sign(old))
        gateway.keys = [new, old]
        let_pass(keys, auth.KEYS_MIN_AGE_SECONDS + 1)
        assert (await verifier.verify(sign(new))).roles == {"handler"}
        assert (await verifier.verify(sign(old))).roles == {"handler"}
        assert gateway.asked == 2

    async def test_unknown_key_ids_ask_at_most_once_in_ten_seconds(
        self, verifier, keys, gateway, old
    ):
        await verifier.verify(sign(old))
        for number in range(20):
            with pytest.raises(TokenRefused):
                await verifier.verify(sign(new_key(f"strange {number}")))
        assert gateway.asked == 1
        let_pass(keys, auth.KEYS_MIN_AGE_SECONDS + 1)
        for number in range(20):
            with pytest.raises(TokenRefused):
                await verifier.verify(sign(new_key(f"strange {number}")))
        assert gateway.asked == 2

    async def test_a_withdrawn_key_is_refused_once_the_new_ones_are_there(
        self, verifier, keys, gateway, old, new
    ):
        await verifier.verify(sign(old))
        gateway.keys = [new]
        let_pass(keys, auth.KEYS_MAX_AGE_SECONDS + 1)
        with pytest.raises(TokenRefused):
            await verifier.verify(sign(old))

    async def test_old_ones_are_kept_while_the_gateway_is_away(self, verifier, keys, gateway, old):
        await verifier.verify(sign(old))
        gateway.is_away = True
        let_pass(keys, auth.KEYS_MAX_AGE_SECONDS + 1)
        for _ in range(20):
            await verifier.verify(sign(old))
        assert gateway.asked == 2

    async def test_only_one_waits_for_a_gateway_that_does_not_answer(
        self, verifier, keys, gateway, old
    ):
        await verifier.verify(sign(old))
        gateway.gate.clear()
        let_pass(keys, auth.KEYS_MAX_AGE_SECONDS + 1)
        waiting = asyncio.create_task(verifier.verify(sign(old)))
        await until(gateway.was_asked_twice)
        async with asyncio.timeout(5):
            await asyncio.gather(*(verifier.verify(sign(old)) for _ in range(5)))
        assert not waiting.done()
        gateway.gate.set()
        await waiting

    @pytest.mark.parametrize("answer", [["no keys"], {"keys": []}, {"keys": [{"kty": "EC"}]}, "a"])
    async def test_an_answer_that_is_no_key_set_counts_as_none(
        self, verifier, keys, gateway, old, answer
    ):
        await verifier.verify(sign(old))
        gateway.answer = answer
        let_pass(keys, auth.KEYS_MAX_AGE_SECONDS + 1)
        await verifier.verify(sign(old))

    async def test_without_any_the_gateway_is_asked_again_soon(self, verifier, keys, gateway, old):
        gateway.is_away = True
        for _ in range(5):
            with pytest.raises(KeysUnavailable):
                await verifier.verify(sign(old))
        assert gateway.asked == 1
        gateway.is_away = False
        let_pass(keys, auth.KEYS_RETRY_SECONDS + 1)
        await verifier.verify(sign(old))

    async def test_a_service_that_never_saw_the_keys_answers_503(
        self, databases, verifier, gateway
    ):
        gateway.is_away = True
        at = await databases.clone(SERVICE)
        app = SERVICE.create_app(settings_for(SERVICE.settings, at.dsn), verifier=verifier)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://sample") as client,
        ):
            answer = await client.get("/v1/notes-of-staff", headers=tokens.bearer("window-clerk"))
        assert (answer.status_code, answer.json()["code"]) == (503, "identity-unavailable")
        assert answer.headers["retry-after"] == "2"
