"""The API process of the catalogue."""

from fastapi import FastAPI

from servicekit.app import create_service_app
from servicekit.auth import TokenVerifier
from servicekit.settings import ServiceSettings
from services.catalogue.bundles import endpoints as bundles
from services.catalogue.bundles.service import BundleCodeTaken
from services.catalogue.items import endpoints as items
from services.catalogue.items.service import ItemCodeTaken
from services.catalogue.search import endpoints as search


def create_app(settings: ServiceSettings, *, verifier: TokenVerifier | None = None) -> FastAPI:
    """Put the catalogue's API together."""
    return create_service_app(
        "catalogue",
        settings,
        title="事项目录",
        routers=[items.router, bundles.router, search.router],
        parts=[search.search_index],
        constraints={
            "uq_item_division_code_item_code": ItemCodeTaken,
            "uq_bundle_division_code_bundle_code": BundleCodeTaken,
        },
        verifier=verifier,
        migrations="services.catalogue.migrations",
    )
