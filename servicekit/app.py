"""The API process of a service: FastAPI with one middleware, one error shape, one lifespan."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from servicekit.auth import JwksKeys, TokenVerifier
from servicekit.database import Database
from servicekit.errors import ConstraintErrors, install_error_handlers
from servicekit.health import Readiness, health_router
from servicekit.http import create_client
from servicekit.idempotency import IdempotentRoute
from servicekit.logging import logger
from servicekit.middleware import RequestMiddleware, Upload
from servicekit.migration_head import migration_chain
from servicekit.personal_data import Cipher
from servicekit.settings import ServiceSettings

#: Something the app needs while it runs; entered in order, left in reverse.
Part = Callable[[FastAPI], AbstractAsyncContextManager[None]]
GC_THRESHOLDS = (50_000, 20, 100)


def create_router(feature: str) -> APIRouter:
    """A router whose POSTs honour Idempotency-Key; `feature` becomes the OpenAPI tag."""
    return APIRouter(prefix="/v1", tags=[feature], route_class=IdempotentRoute)


def create_service_app(
    service: str,
    settings: ServiceSettings,
    *,
    title: str,
    routers: Sequence[APIRouter],
    parts: Sequence[Part] = (),
    constraints: ConstraintErrors | None = None,
    verifier: TokenVerifier | None = None,
    migrations: str | None = None,
    uploads: Sequence[Upload] = (),
) -> FastAPI:
    """Put an API process together.

    `migrations` is the package of the service's migration chain (`services.x.migrations`); the
    readiness probe answers only when the database is at its head. `verifier` replaces the one
    that asks the gateway for its keys. `uploads` are the paths that take files instead of JSON.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = Database(settings, application_name=f"{service}.api")
            stack.push_async_callback(database.close)
            app.state.database = database
            client = await stack.enter_async_context(create_client())
            app.state.verifier = verifier or TokenVerifier(JwksKeys(settings.jwks_url, client))
            chain = migration_chain(migrations) if migrations else None
            app.state.readiness = Readiness(database, chain)
            for part in parts:
                await stack.enter_async_context(part(app))
            stack.enter_context(_settled_heap())
            yield

    app = FastAPI(
        title=title,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        separate_input_output_schemas=False,
    )
    app.state.settings = settings
    if settings.data_keys:
        app.state.cipher = create_cipher(settings)
    install_error_handlers(app, constraints or {})
    app.include_router(health_router)
    app.add_api_route("/openapi.json", read_openapi, include_in_schema=False)
    for router in routers:
        app.include_router(router)
    app.add_middleware(
        RequestMiddleware, body_limit_bytes=settings.body_limit_bytes, uploads=uploads
    )
    return app


def create_cipher(settings: ServiceSettings) -> Cipher:
    """The cipher of a service's personal data."""
    return Cipher(settings.data_key_bytes, settings.data_key_id, settings.blind_index_bytes)


class _settled_heap:  # noqa: N801 - reads as a statement where it is entered
    """Move what start-up allocated out of the collector's way; full collections cut the p99."""

    def __enter__(self) -> None:
        self._before = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)

    def __exit__(self, *_: object) -> None:
        gc.set_threshold(*self._before)
        gc.unfreeze()


def background(run: Callable[[FastAPI], Coroutine[Any, Any, None]]) -> Part:
    """A part that runs a coroutine beside the app and cancels it at the end."""

    def tell_failure(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            logger.error("background_stopped", exc_info=task.exception())

    @asynccontextmanager
    async def part(app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(run(app))
        task.add_done_callback(tell_failure)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return part


async def read_openapi(request: Request) -> Response:
    """The OpenAPI document of this service."""
    return Response(write_openapi(request.app), media_type="application/json")


def write_openapi(app: FastAPI) -> bytes:
    """The document as it is served, built once: half a second and 10 MB, so best before serving.

    Only the text stays; the tree that FastAPI would keep is twenty times as large.
    """
    if not hasattr(app.state, "openapi"):
        app.state.openapi, app.openapi_schema = orjson.dumps(app.openapi()), None
    written: bytes = app.state.openapi
    return written


def openapi_document(app: FastAPI) -> dict[str, object]:
    """The OpenAPI document of an app without starting it."""
    return get_openapi(title=app.title, version=app.version, routes=app.routes)
