"""The composition root of the gateway's process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.accounts.endpoints import router as accounts_router
from gateway.cache import PublicCache
from gateway.callers import Gatekeeper, Revocations
from gateway.codes.endpoints import router as codes_router
from gateway.codes.sms import create_sms
from gateway.cors import Cors
from gateway.edge import Edge
from gateway.identity import Identity, IdentityParts
from gateway.keys import KeyRing
from gateway.limits import Limiter
from gateway.portal.app import PATHS, Portal
from gateway.portal.documents import Documents
from gateway.proxy import Proxy
from gateway.routes import RouteTable
from gateway.sessions.endpoints import router as sessions_router
from gateway.sessions.upkeep import keep_keys_fresh, keep_revocations_fresh, keep_tables_small
from gateway.settings import GatewaySettings
from gateway.staff.endpoints import router as staff_router
from gateway.staff.oidc import OidcClient, OidcSettings
from gateway.upstream import Upstream
from servicekit.app import Part, background, create_service_app, openapi_document
from servicekit.auth import TokenVerifier
from servicekit.http import create_client

TITLE = "登录与身份"
keys_router = APIRouter(include_in_schema=False)


@keys_router.get("/.well-known/jwks.json")
async def read_keys(identity: IdentityParts) -> dict[str, object]:
    """The public keys that access tokens are verified with."""
    return identity.keys.published


class GatewayApp:
    """Our own endpoints: identity by the framework, pages from memory."""

    def __init__(self, identity: FastAPI, portal: Portal) -> None:
        self.identity = identity
        self._portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        is_page = scope["type"] == "http" and scope["path"] in PATHS
        await (self._portal if is_page else self.identity)(scope, receive, send)


def create_app(settings: GatewaySettings) -> ASGIApp:
    """Put the gateway together."""
    keys = KeyRing(settings.signing_keys_file)
    revocations = Revocations()
    limiter = Limiter(settings.rate_limits)
    table = RouteTable()
    upstream = Upstream(settings.upstreams)
    verifier = TokenVerifier(keys)
    app = create_service_app(
        "gateway",
        settings,
        title=TITLE,
        routers=[keys_router, codes_router, sessions_router, staff_router, accounts_router],
        parts=[
            _identity(settings, keys, revocations),
            _connections(upstream),
            background(keep_revocations_fresh),
            background(keep_tables_small),
            background(keep_keys_fresh),
        ],
        verifier=verifier,
        migrations="gateway.migrations",
    )
    documents = Documents(
        openapi_document(app), settings.upstreams, table, server=settings.public_url.rstrip("/")
    )
    app.state.documents = documents
    return Edge(
        GatewayApp(app, Portal(documents)),
        PublicCache(
            Proxy(
                upstream,
                trace_sample_ratio=settings.trace_sample_ratio,
                is_traced=settings.otlp_endpoint is not None,
            )
        ),
        table=table,
        gatekeeper=Gatekeeper(verifier, revocations, limiter),
        limiter=limiter,
        cors=Cors(settings.cors_origins),
        trusted_proxies=settings.trusted_proxies,
        is_https=settings.is_public_https,
    )


def _identity(settings: GatewaySettings, keys: KeyRing, revocations: Revocations) -> Part:
    """Build what the identity endpoints need, with one HTTP client to the outside."""

    @asynccontextmanager
    async def part(app: FastAPI) -> AsyncIterator[None]:
        async with create_client() as client:
            oidc = OidcSettings(
                settings.oidc_issuer,
                settings.oidc_client_id,
                settings.oidc_client_secret.get_secret_value(),
                settings.oidc_redirect_uri,
            )
            app.state.identity = Identity(
                settings=settings,
                cipher=app.state.cipher,
                keys=keys,
                revocations=revocations,
                sms=create_sms(settings, client),
                oidc=OidcClient(oidc, client),
            )
            yield

    return part


def _connections(upstream: Upstream) -> Part:
    """Open the connections to the services, and keep their documents fresh."""

    @asynccontextmanager
    async def part(app: FastAPI) -> AsyncIterator[None]:
        try:
            async with (
                create_client() as client,
                background(lambda _: app.state.documents.keep_fresh(client))(app),
            ):
                yield
        finally:
            upstream.close()

    return part
