"""The API process of the catalogue."""

from fastapi import FastAPI

from servicekit.app import create_service_app
from servicekit.auth import TokenVerifier
from servicekit.settings import ServiceSettings
from services.catalogue.admissions import endpoints as admissions
from services.catalogue.admissions.errors import AlreadyInHand
from services.catalogue.basic_sheets import endpoints as basic_sheets
from services.catalogue.basics import endpoints as basics
from services.catalogue.basics.service import BasicCodeTaken
from services.catalogue.bundles import endpoints as bundles
from services.catalogue.bundles.service import BundleCodeTaken
from services.catalogue.certificates import endpoints as certificates
from services.catalogue.guides import endpoints as guides
from services.catalogue.items import endpoints as items
from services.catalogue.items.service import ItemCodeTaken
from services.catalogue.proposals import endpoints as proposals
from services.catalogue.purchases import endpoints as purchases
from services.catalogue.purchases.service import ServiceTaken
from services.catalogue.search import endpoints as search
from services.catalogue.search.missed import missed_searches
from services.catalogue.sheets import endpoints as sheets
from services.catalogue.synonyms import endpoints as synonyms
from services.catalogue.themes import endpoints as themes
from services.catalogue.themes.service import ThemeTaken


def create_app(settings: ServiceSettings, *, verifier: TokenVerifier | None = None) -> FastAPI:
    """Put the catalogue's API together."""
    return create_service_app(
        "catalogue",
        settings,
        title="事项目录",
        routers=[
            items.router,
            guides.router,
            basics.router,
            bundles.router,
            admissions.router,
            proposals.router,
            certificates.router,
            purchases.router,
            themes.router,
            synonyms.router,
            search.router,
            sheets.imports,
            sheets.router,
            basic_sheets.imports,
            basic_sheets.router,
        ],
        parts=[search.search_index, missed_searches],
        constraints={
            "uq_basic_item_division_code_basic_code": BasicCodeTaken,
            "uq_item_division_code_item_code": ItemCodeTaken,
            "uq_admission_item_in_hand": AlreadyInHand,
            "uq_purchase_service_division_code_code": ServiceTaken,
            "uq_theme_division_code_code": ThemeTaken,
            "uq_bundle_division_code_bundle_code": BundleCodeTaken,
        },
        verifier=verifier,
        uploads=[sheets.UPLOAD, basic_sheets.UPLOAD],
        migrations="services.catalogue.migrations",
    )
