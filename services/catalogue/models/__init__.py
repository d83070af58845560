"""Tables owned by the catalogue service. No other service may read them."""

from services.catalogue.models.admissions import (
    Admission,
    AdmissionCap,
    AdmissionHistory,
    AdmissionKind,
    AdmissionOpinion,
    AdmissionState,
    ItemUse,
    Proposal,
    ProposalKind,
    ProposalState,
)
from services.catalogue.models.base import Base
from services.catalogue.models.basics import BasicItem, BasicItemHistory, BasicState
from services.catalogue.models.bundles import (
    Bundle,
    BundleDraft,
    BundleHistory,
    BundleMember,
    BundleVersion,
    Theme,
    ThemeItem,
)
from services.catalogue.models.certificates import (
    CertificateEntry,
    CertificateList,
    CertificateReport,
    CertificateReportHistory,
    ListKind,
    ReportState,
)
from services.catalogue.models.imports import (
    ImportApproval,
    ImportChunk,
    ImportJob,
    ImportProblem,
)
from services.catalogue.models.items import (
    CatalogueRevision,
    DraftState,
    Item,
    ItemDraft,
    ItemHistory,
    ItemScore,
    ItemVersion,
    Status,
)
from services.catalogue.models.purchases import (
    PurchaseProject,
    PurchaseService,
    PurchaseStep,
    Stage,
)
from services.catalogue.models.synonyms import Synonym, SynonymRevision
from services.catalogue.models.technical import IdempotencyKey, OutboxMessage, ProcessedEvent, Timer

__all__ = [
    "Admission",
    "AdmissionCap",
    "AdmissionHistory",
    "AdmissionKind",
    "AdmissionOpinion",
    "AdmissionState",
    "Base",
    "BasicItem",
    "BasicItemHistory",
    "BasicState",
    "Bundle",
    "BundleDraft",
    "BundleHistory",
    "BundleMember",
    "BundleVersion",
    "CatalogueRevision",
    "CertificateEntry",
    "CertificateList",
    "CertificateReport",
    "CertificateReportHistory",
    "DraftState",
    "IdempotencyKey",
    "ImportApproval",
    "ImportChunk",
    "ImportJob",
    "ImportProblem",
    "Item",
    "ItemDraft",
    "ItemHistory",
    "ItemScore",
    "ItemUse",
    "ItemVersion",
    "ListKind",
    "OutboxMessage",
    "ProcessedEvent",
    "Proposal",
    "ProposalKind",
    "ProposalState",
    "PurchaseProject",
    "PurchaseService",
    "PurchaseStep",
    "ReportState",
    "Stage",
    "Status",
    "Synonym",
    "SynonymRevision",
    "Theme",
    "ThemeItem",
    "Timer",
]
