"""The gateway with its own database, an identity provider, and telephones one can read."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey

from gateway.app import GatewayApp, create_app
from gateway.definition import SERVICE
from gateway.edge import Edge
from gateway.settings import GatewaySettings
from tests.gateway import issuer as issuers
from tests.gateway.issuer import Issuer
from tests.gateway.servers import serve
from tests.support.service import RunningService, settings_for

PHONE = "13700000001"
NOWHERE = "http://127.0.0.1:9"
GENEROUS = dict.fromkeys(["read", "write", "sign-in", "code", "verification"], "100000/100000")


def write_keys(path: Path, *kids: str) -> list[ECKey]:
    """A file of signing keys, the first of which signs."""
    keys = [ECKey.generate_key("P-256", {"kid": kid}, private=True) for kid in kids]
    path.write_text(json.dumps({"keys": [key.as_dict(private=True) for key in keys]}))
    return keys


def gateway_settings(dsn: str, directory: Path, **values) -> GatewaySettings:
    """Settings of a development gateway whose services are all absent."""
    keys = directory / "signing-keys.json"
    if not keys.exists():
        write_keys(keys, "gateway-1")
    defaults = {
        "public_url": "http://gateway.test",
        "signing_keys_file": keys,
        "sms_provider": "development",
        "development_outbox": directory / "outbox.jsonl",
        "oidc_issuer": NOWHERE,
        "oidc_client_id": issuers.CLIENT_ID,
        "oidc_client_secret": issuers.CLIENT_SECRET,
        "oidc_redirect_uri": issuers.REDIRECT_URI,
        "rate_limits": GENEROUS,
        **{
            f"{name}_url": NOWHERE
            for name in ("catalogue", "requests", "facilities", "evaluation", "exchange")
        },
    }
    settings = settings_for(GatewaySettings, dsn, **(defaults | values))
    assert isinstance(settings, GatewaySettings)
    return settings


@dataclass
class RunningGateway(RunningService):
    """A gateway in this process, and what stands around it."""

    issuer: Issuer
    outbox: Path

    def last_code(self, phone: str = PHONE) -> str:
        """The code that a telephone got last."""
        entries = [json.loads(line) for line in self.outbox.read_text().splitlines()]
        return [entry["code"] for entry in entries if entry["phone"] == phone][-1]

    async def execute(self, statement: str, *arguments) -> None:
        """Change the database behind the gateway's back, as time would."""
        await self.fetch(statement, *arguments)

    async def send_code(self, phone: str = PHONE) -> str:
        answer = await self.client.post("/v1/sign-in/codes", json={"phone": phone})
        assert answer.status_code == 202, answer.text
        return self.last_code(phone)

    async def sign_in(self, phone: str = PHONE) -> dict:
        """Sign a resident in; returns the answer."""
        code = await self.send_code(phone)
        answer = await self.client.post(
            "/v1/sign-in/residents", json={"phone": phone, "code": code}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


async def running_gateway(at, issuer: Issuer, directory: Path, **values):
    settings = gateway_settings(at.dsn, directory, oidc_issuer=issuer.url or NOWHERE, **values)
    edge = create_app(settings)
    assert isinstance(edge, Edge)
    assert isinstance(edge.own, GatewayApp)
    app = edge.own.identity
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client,
    ):
        yield RunningGateway(app, client, at, settings, issuer, directory / "outbox.jsonl")


@pytest.fixture(scope="session")
async def gateway_session(databases, tmp_path_factory) -> AsyncIterator[RunningGateway]:
    issuer = Issuer()
    directory = tmp_path_factory.mktemp("gateway")
    async with serve(issuer) as issuer.url:
        async for gateway in running_gateway(await databases.clone(SERVICE), issuer, directory):
            yield gateway


@pytest.fixture
async def gateway(gateway_session: RunningGateway) -> AsyncIterator[RunningGateway]:
    yield gateway_session
    await gateway_session.empty()
    gateway_session.issuer.reset()
    gateway_session.client.cookies.clear()
