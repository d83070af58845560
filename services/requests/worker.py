"""The worker process of the requests service."""

from functools import partial

from contracts.catalogue import ITEM_STATES, AdmissionRecorded, BundlePublished, BundleRetired
from contracts.evaluation import CaseReopenRequested
from contracts.facilities import DivisionRecorded
from servicekit.app import create_cipher
from servicekit.bus import Handlers, Subscription
from servicekit.partitions import Partitioned, keeper
from servicekit.settings import ServiceSettings
from servicekit.timers import TimerHandler
from servicekit.worker import WorkerParts
from services.requests.archives.sealing import SEAL
from services.requests.archives.service import seal
from services.requests.cases import timers as cases
from services.requests.cases.consumers import reopen
from services.requests.cases.dates import follow_correction
from services.requests.clock.service import CORRECTION
from services.requests.drafts import service as drafts
from services.requests.housekeeping import keep_house
from services.requests.materials import parts as materials
from services.requests.materials.erasing import ERASE, erase
from services.requests.reference.consumers import keep_bundle, keep_division, keep_item
from services.requests.routing import timers as routing
from services.requests.settings import RequestsSettings
from services.requests.supervision import timers as supervision
from services.requests.triage.consumers import keep_admission
from services.requests.worklists.jobs import fold

#: Longer than Kafka can bring an event again.
INBOX_MONTHS = 2
ITEM_HANDLERS: Handlers = {event: [keep_item] for event in ITEM_STATES}
BUNDLE_HANDLERS: Handlers = {BundlePublished: [keep_bundle], BundleRetired: [keep_bundle]}
ADMISSION_HANDLERS: Handlers = {AdmissionRecorded: [keep_admission]}
REOPENING_HANDLERS: Handlers = {CaseReopenRequested: [reopen]}
DIVISION_HANDLERS: Handlers = {DivisionRecorded: [keep_division]}
SUBSCRIPTIONS = (
    Subscription("requests.items", ITEM_HANDLERS),
    Subscription("requests.bundles", BUNDLE_HANDLERS),
    Subscription("requests.admissions", ADMISSION_HANDLERS),
    Subscription("requests.divisions", DIVISION_HANDLERS),
    Subscription("requests.reopenings", REOPENING_HANDLERS),
)


def keyed_timers(settings: RequestsSettings) -> dict[str, TimerHandler]:
    """What needs the keys of personal data, or the store of files."""
    if not settings.data_keys:
        return {}
    cipher = create_cipher(settings)
    return {
        SEAL: partial(seal, cipher),
        ERASE: partial(erase, materials.open_files(settings, cipher)),
    }


def create_worker(settings: ServiceSettings) -> WorkerParts:
    """Local copies and the clock of cases."""
    assert isinstance(settings, RequestsSettings)
    return WorkerParts(
        subscriptions=SUBSCRIPTIONS,
        timers={
            **cases.TIMERS,
            CORRECTION: partial(follow_correction, settings.office_closes_at),
            **drafts.TIMERS,
            **routing.TIMERS,
            **supervision.TIMERS,
            **keyed_timers(settings),
        },
        jobs=[
            *materials.jobs(settings),
            fold,
            keep_house,
            keeper(
                Partitioned("case_history"),
                Partitioned("data_access", settings.audit_months),
                Partitioned("processed_event", INBOX_MONTHS),
            ),
        ],
    )
