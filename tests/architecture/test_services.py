"""What every service keeps to, whichever services there are."""

import json
import re
import subprocess
import sys
from functools import cache
from importlib import import_module

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from contracts.catalogue import ITEM_STATES, ItemPaused, ItemPublished
from contracts.registry import EVENTS
from contracts.topics import TOPICS
from servicekit.app import create_router, openapi_document
from servicekit.bus import Handlers, Subscription
from servicekit.idempotency import IdempotentRoute
from servicekit.process import load_service
from tests.architecture.tree import ROOT, deployable_names, package_of, service_names
from tests.support.service import settings_of, subscriptions_of

each_service = pytest.mark.parametrize("name", service_names())
each_deployable = pytest.mark.parametrize("name", deployable_names())


@cache
def app_of(name: str) -> FastAPI:
    if name == "gateway":  # its app is more than FastAPI's; its own endpoints are like any other's
        app = FastAPI(title=name, version="1")
        for path in sorted((ROOT / name).glob("*/endpoints.py")):
            app.include_router(import_module(f"{name}.{path.parent.name}.endpoints").router)
        return app
    service = load_service(name)
    return service.create_app(settings_of(service))


@each_deployable
def test_the_definition_fits_the_folder(name):
    service = load_service(name)
    assert service.name == name
    assert service.migrations == f"{package_of(name)}.migrations"
    assert service.settings.model_config["env_prefix"] == f"{name.upper()}_"
    assert set(service.publishes) <= TOPICS.keys()


class TestIsolation:
    """Each service imports alone: its process holds no other service's code."""

    @each_deployable
    def test_it_loads_no_other_service(self, name):
        loaded = modules_by_process()[package_of(name)]
        assert foreign(name, loaded["api"] | loaded["worker"]) == set()
        assert f"{package_of(name)}.app" in loaded["api"]

    @each_service
    def test_a_process_loads_only_what_its_command_needs(self, name):
        loaded = modules_by_process()[package_of(name)]
        of_workers = {"aiokafka", "servicekit.bus", "servicekit.worker", f"services.{name}.worker"}
        assert of_workers <= loaded["worker"]
        assert loaded["api"] & of_workers == set()
        assert f"services.{name}.app" not in loaded["worker"]

    def test_it_can_fail(self):
        assert foreign("requests", {"services", "services.requests.app"}) == set()
        assert foreign("requests", {"services.catalogue.models"}) == {"services.catalogue.models"}
        assert foreign("requests", {"devstack.ports"}) == {"devstack.ports"}


@cache
def modules_by_process() -> dict[str, dict[str, set[str]]]:
    program = [sys.executable, "-m", "tests.architecture.isolation"]
    packages = [package_of(name) for name in deployable_names()]
    ran = subprocess.run(
        [*program, *packages], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {
        package: {name: set(modules) for name, modules in processes.items()}
        for package, processes in json.loads(ran.stdout).items()
    }


def foreign(name: str, modules: set[str]) -> set[str]:
    """Modules of ours that are neither the service's own nor a library below it."""
    ours = {"services", "gateway", "devstack", "yichuang"}
    own = package_of(name)
    return {
        module
        for module in modules
        if module.partition(".")[0] in ours
        and module != "services"
        and not (module == own or module.startswith(f"{own}."))
    }


class TestEvents:
    @each_service
    def test_every_subscribed_event_has_handlers(self, name):
        for subscription in subscriptions_of(name):
            assert unhandled(subscription) == []
            assert subscription.group.startswith(f"{name}.")
            assert set(subscription.topics) <= TOPICS.keys()

    def test_it_can_fail(self):
        assert unhandled(Subscription("x.y", {EVENTS[0]: []})) == [EVENTS[0].event_type]

    @each_service
    def test_who_keeps_items_takes_every_event_that_tells_how_they_stand(self, name):
        taken = [subscription.handlers for subscription in subscriptions_of(name)]
        taken += [projection.handlers for projection in load_service(name).projections().values()]
        assert [half for handlers in taken if (half := one_sided(handlers))] == []

    def test_half_of_the_states_is_found(self):
        assert one_sided({ItemPublished: [], ItemPaused: []}) == ["ItemRevised", "ItemRetired"]
        assert one_sided({EVENTS[-1]: []}) == []

    def test_every_event_is_published_by_one_service_and_by_its_own(self):
        publishers = {
            topic: [name for name in service_names() if topic in load_service(name).publishes]
            for topic in TOPICS
        }
        assert {topic: names for topic, names in publishers.items() if len(names) != 1} == {}
        for event in EVENTS:
            assert publishers[event.topic] == [event.event_type.split(".")[2]]

    def test_every_projection_reads_a_compacted_topic(self):
        for name in service_names():
            for projection in load_service(name).projections().values():
                assert TOPICS[projection.topic].compacted
                assert {event.topic for event in projection.handlers} == {projection.topic}


def one_sided(handlers: Handlers) -> list[str]:
    """The states of items that are left out where others are taken."""
    left_out = [event.__name__ for event in ITEM_STATES if event not in handlers]
    return left_out if len(left_out) < len(ITEM_STATES) else []


def unhandled(subscription: Subscription) -> list[str]:
    return [event.event_type for event, done in subscription.handlers.items() if not done]


class TestRoutes:
    @each_service  # not the gateway: signing in twice is two sessions, and codes are spent
    def test_posts_honour_idempotency_keys(self, name):
        assert forgetful(app_of(name)) == []

    @each_deployable
    def test_every_route_is_described(self, name):
        assert unexplained(app_of(name)) == []

    @each_deployable
    def test_paths_are_versioned(self, name):
        assert [route.path for _, route in routes(app_of(name)) if not versioned(route.path)] == []

    @each_deployable
    def test_the_openapi_document_is_valid(self, name):
        validate(openapi_document(app_of(name)))

    def test_they_can_fail(self):
        app, router = FastAPI(), create_router("things")
        app.post("/things")(undocumented)
        router.post("/things")(documented)
        app.include_router(router)
        assert forgetful(app) == ["/things"]
        assert unexplained(app) == ["POST /things"]
        assert not versioned("/things")
        document = openapi_document(app)
        document["info"] = {}
        with pytest.raises(OpenAPIValidationError):
            validate(document)


async def undocumented() -> None: ...


async def documented() -> None:
    """Make a thing."""


def routes(app: FastAPI) -> list[tuple[str, APIRoute]]:
    return [
        (method, route)
        for route in app.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in sorted(route.methods or ())
    ]


def forgetful(app: FastAPI) -> list[str]:
    return [
        route.path
        for method, route in routes(app)
        if method == "POST" and not isinstance(route, IdempotentRoute)
    ]


def unexplained(app: FastAPI) -> list[str]:
    return [
        f"{method} {route.path}"
        for method, route in routes(app)
        if not (route.endpoint.__doc__ or route.description or "").strip()
    ]


def versioned(path: str) -> bool:
    """Ours say their version; Open Referral's standard has its own."""
    return path.startswith("/v1/") or re.match(r"/hsds(/|$)", path) is not None
