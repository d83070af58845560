"""The API process of the exchange service."""

from fastapi import FastAPI

from servicekit.app import create_service_app
from servicekit.auth import TokenVerifier
from services.exchange.notices import endpoints as notices
from services.exchange.settings import ExchangeSettings


def create_app(settings: ExchangeSettings, *, verifier: TokenVerifier | None = None) -> FastAPI:
    """Put the API together."""
    return create_service_app(
        "exchange",
        settings,
        title="交换与通知",
        routers=[notices.router],
        verifier=verifier,
        migrations="services.exchange.migrations",
    )
