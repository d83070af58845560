"""The route table against what the services really offer."""

import json
from functools import cache

import pytest
from openapi_spec_validator import validate

from gateway.portal.merging import METHODS, merge
from gateway.portal.pages import documentation_page
from gateway.routes import RouteTable, Service
from servicekit.app import openapi_document
from servicekit.process import load_service
from tests.gateway.test_portal import checked
from tests.support.service import settings_for

SERVICES = [service for service in Service if service is not Service.gateway]
TABLE = RouteTable()


@cache
def document_of(service: Service) -> dict:
    """What a service answers at /openapi.json."""
    definition = load_service(service.value)
    settings = settings_for(definition.settings, "postgresql://x:x@127.0.0.1:9/x")
    return json.loads(json.dumps(openapi_document(definition.create_app(settings))))


def operations(service: Service) -> list[tuple[str, str, dict]]:
    """Method, path and operation of everything a service publishes: ours, and Open Referral's."""
    paths = document_of(service)["paths"]
    return [
        (method.upper(), path, operation)
        for path, item in paths.items()
        for method, operation in item.items()
        if method in METHODS and path.startswith(("/v1/", "/hsds"))
    ]


@pytest.mark.parametrize("service", SERVICES)
class TestExposure:
    def test_every_endpoint_is_reached_through_the_gateway(self, service):
        for method, path, _ in operations(service):
            route = TABLE.find(path)
            assert route is not None, path
            assert route.service is service, path
            assert method in route.methods, (method, path)

    def test_what_needs_no_token_there_needs_none_here(self, service):
        for method, path, operation in operations(service):
            route = TABLE.find(path)
            if route is not None and not operation.get("security"):
                assert method in route.anonymous, (method, path)

    def test_no_route_leads_nowhere(self, service):
        paths = {path for _, path, _ in operations(service)}
        for route in TABLE.routes:
            if route.service is service:
                assert any(TABLE.find(path) is route for path in paths), route.prefix


class TestMergedDocument:
    def test_is_valid_and_makes_a_whole_page(self):
        documents: dict[Service, dict] = {name: document_of(name) for name in SERVICES}
        merged = merge(
            documents, TABLE, title="一窗", description="", server="https://yichuang.test"
        )
        validate(merged)
        count = sum(len(operations(service)) for service in SERVICES)
        page = documentation_page(merged, missing=[])
        checked(page)
        assert page.count("<pre>curl") == count
