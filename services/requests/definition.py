"""What the commands need to know of the requests service."""

from contracts.topics import CALENDAR, CATALOGUE, FACILITIES, REQUESTS
from servicekit.personal_data import EncryptedColumn
from servicekit.process import Service
from servicekit.rebuild import Projection
from services.requests.app import create_app
from services.requests.seed import seed
from services.requests.settings import RequestsSettings
from services.requests.worker import (
    ADMISSION_HANDLERS,
    BUNDLE_HANDLERS,
    DIVISION_HANDLERS,
    ITEM_HANDLERS,
    create_worker,
)

SERVICE = Service(
    name="requests",
    title="申请与办件：一窗受理、派单、办件、时限",
    settings=RequestsSettings,
    create_app=create_app,
    migrations="services.requests.migrations",
    create_worker=create_worker,
    publishes=[REQUESTS, CALENDAR],
    seed=seed,
    projections={
        "catalogue-items": Projection(CATALOGUE, ["catalogue_item"], ITEM_HANDLERS),
        "catalogue-bundles": Projection(CATALOGUE, ["catalogue_bundle"], BUNDLE_HANDLERS),
        "admissions": Projection(CATALOGUE, ["item_admission"], ADMISSION_HANDLERS),
        "divisions": Projection(FACILITIES, ["division"], DIVISION_HANDLERS),
    },
    encrypted=[
        EncryptedColumn("citizen_request", "applicant_name"),
        EncryptedColumn("citizen_request", "identity_number"),
        EncryptedColumn("citizen_request", "mobile"),
        EncryptedColumn("service_case", "answers"),
        EncryptedColumn("request_party", "name"),
        EncryptedColumn("request_party", "identity_number"),
        EncryptedColumn("request_party", "mobile"),
        EncryptedColumn("request_draft", "body"),
        EncryptedColumn("material_upload", "file_name"),
        EncryptedColumn("material_upload", "content_key"),
        EncryptedColumn("correction_notice", "answer", key="case_id"),
    ],
)
