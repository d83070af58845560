"""The route table against what the services really offer."""

import pytest

from gateway.portal.merging import METHODS
from gateway.routes import RouteTable, Service
from servicekit.app import openapi_document
from servicekit.process import load_service
from tests.support.service import settings_for

SERVICES = [service for service in Service if service is not Service.gateway]
TABLE = RouteTable()


def operations(service: Service) -> list[tuple[str, str, dict]]:
    """Method, path and operation of everything a service publishes under /v1."""
    definition = load_service(service.value)
    settings = settings_for(definition.settings, "postgresql://x:x@127.0.0.1:9/x")
    document = openapi_document(definition.create_app(settings))
    paths: dict = document["paths"]  # type: ignore[assignment]
    return [
        (method.upper(), path, operation)
        for path, item in paths.items()
        for method, operation in item.items()
        if method in METHODS and path.startswith("/v1/")
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
