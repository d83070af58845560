"""What the commands and tests know of the gateway."""

from collections.abc import Callable
from typing import cast

from fastapi import FastAPI

from gateway.app import create_app
from gateway.models import PHONE
from gateway.settings import GatewaySettings
from servicekit.process import Service

SERVICE = Service(
    name="gateway",
    title="统一入口",
    settings=GatewaySettings,
    # an ASGI application like any other's, though not FastAPI's own: `api` only serves it
    create_app=cast("Callable[..., FastAPI]", create_app),
    migrations="gateway.migrations",
    encrypted=[PHONE],
)
