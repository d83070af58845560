"""What the commands need to know of the requests service."""

from contracts.topics import CALENDAR, REQUESTS
from servicekit.personal_data import EncryptedColumn
from servicekit.process import Service, late
from services.requests.settings import RequestsSettings

SERVICE = Service(
    name="requests",
    title="申请与办件：一窗受理、派单、办件、时限",
    settings=RequestsSettings,
    create_app=late("services.requests.app", "create_app"),
    migrations="services.requests.migrations",
    create_worker=late("services.requests.worker", "create_worker"),
    publishes=[REQUESTS, CALENDAR],
    seed=late("services.requests.seed", "seed"),
    projections=late("services.requests.projections", "create_projections"),
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
