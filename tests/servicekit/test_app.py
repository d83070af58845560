"""How an API process is put together: parts in order, background work, its document."""

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from servicekit.app import (
    GC_THRESHOLDS,
    background,
    create_service_app,
    openapi_document,
    write_openapi,
)
from tests.servicekit.helpers import until
from tests.servicekit.sample.definition import SERVICE
from tests.support.service import settings_for


@pytest.fixture
def settings(sample):
    return settings_for(SERVICE.settings, sample.at.dsn)


def load_nothing() -> None:
    raise LookupError("no reference data")


def app_with(settings, *parts):
    return create_service_app("sample", settings, title="样例", routers=[], parts=parts)


class TestParts:
    async def test_are_entered_in_order_and_left_in_reverse(self, settings):
        seen = []

        def part(name):
            @asynccontextmanager
            async def run(app):
                seen.append(f"enter {name}")
                assert app.state.database is not None
                yield
                seen.append(f"leave {name}")

            return run

        app = app_with(settings, part("one"), part("two"))
        async with app.router.lifespan_context(app):
            seen.append("serve")
        assert seen == ["enter one", "enter two", "serve", "leave two", "leave one"]

    async def test_one_that_fails_stops_the_start_and_leaves_nothing_open(self, settings):
        left = []

        @asynccontextmanager
        async def first(_):
            try:
                yield
            finally:
                left.append("first")

        @asynccontextmanager
        async def second(_):
            load_nothing()
            yield

        app = app_with(settings, first, second)
        context = app.router.lifespan_context(app)
        with pytest.raises(LookupError):
            await context.__aenter__()
        assert left == ["first"]

    async def test_the_collector_is_set_for_serving_and_set_back(self, settings):
        before = gc.get_threshold()
        app = app_with(settings)
        async with app.router.lifespan_context(app):
            assert gc.get_threshold() == GC_THRESHOLDS
            assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == before


class TestBackground:
    async def test_runs_beside_the_app_and_ends_with_it(self, settings):
        started, ended = asyncio.Event(), asyncio.Event()

        async def work(app):
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        app = app_with(settings, background(work))
        async with app.router.lifespan_context(app):
            await asyncio.wait_for(started.wait(), 5)
            assert not ended.is_set()
        assert ended.is_set()

    async def test_that_fails_is_told_at_once(self, settings, logged):
        async def work(app):
            raise LookupError("the reference data are gone")

        async def is_told() -> bool:
            said = logged()
            return "background_stopped" in said and "the reference data are gone" in said

        app = app_with(settings, background(work))
        async with app.router.lifespan_context(app):
            await until(is_told)


def test_the_document_is_had_without_starting(settings_of_nothing):
    document: Any = openapi_document(SERVICE.create_app(settings_of_nothing))
    assert document["info"] == {"title": "样例", "version": "1"}
    assert "/v1/notes/{note_id}" in document["paths"]
    assert "/livez" not in document["paths"]


async def test_the_document_is_served_as_text_that_was_built_once(settings_of_nothing):
    app = SERVICE.create_app(settings_of_nothing)
    written = write_openapi(app)
    assert app.openapi_schema is None
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://sample"
    ) as client:
        answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.content == written == orjson.dumps(app.openapi())
    assert write_openapi(app) is written


@pytest.fixture
def settings_of_nothing():
    return settings_for(SERVICE.settings, "postgresql://nobody:x@127.0.0.1:9/nothing")
