"""Objects of the Human Services Data Specification 3.0, as far as there is something to say.

Field names, required fields and words are the standard's. Source: Open Referral HSDS 3.0.
"""

from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel

T = TypeVar("T")
HSDS_VERSION = "3.0"
PROFILE = "https://docs.openreferral.org/en/3.0/"


class Api(BaseModel):
    """What this API is."""

    version: str
    profile: str
    openapi_url: str


class ContentPage(BaseModel, Generic[T]):
    """A page; the standard counts pages and items."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[T]


class TaxonomyTerm(BaseModel):
    id: UUID
    code: str
    name: str
    description: str
    taxonomy: str
    taxonomy_id: UUID
    language: str = "zh"


class Taxonomy(BaseModel):
    id: UUID
    name: str
    description: str
    version: str


class Attribute(BaseModel):
    id: UUID
    link_id: UUID
    link_entity: str
    taxonomy_term_id: UUID
    taxonomy_term: TaxonomyTerm


class OrganizationIdentifier(BaseModel):
    id: UUID
    organization_id: UUID
    identifier_scheme: str
    identifier_type: str
    identifier: str


class Organization(BaseModel):
    id: UUID
    name: str
    description: str
    organization_identifiers: list[OrganizationIdentifier]
    #: Left out of lists; in short with one organisation, in full on request.
    services: list["Service | ServiceSummary"] | None = None


class Phone(BaseModel):
    id: UUID
    number: str
    description: str
    type: str = "voice"


class Address(BaseModel):
    id: UUID
    location_id: UUID
    address_1: str
    city: str
    region: str
    state_province: str
    #: The standard wants one; nobody recorded any.
    postal_code: str = ""
    country: str = "CN"
    address_type: Literal["physical"] = "physical"


class Accessibility(BaseModel):
    id: UUID
    location_id: UUID
    description: str
    details: str


class Schedule(BaseModel):
    """A rule of RFC 5545 in pieces; times carry their offset."""

    id: UUID
    freq: Literal["WEEKLY"] | None = None
    wkst: Literal["MO"] | None = None
    byday: str | None = None
    opens_at: str | None = None
    closes_at: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    dtstart: str | None = None
    until: str | None = None
    timezone: float = 8
    description: str | None = None
    notes: str | None = None


class Location(BaseModel):
    id: UUID
    location_type: Literal["physical"] = "physical"
    organization_id: UUID
    name: str
    description: str
    latitude: float | None
    longitude: float | None
    external_identifier: str
    external_identifier_type: str
    addresses: list[Address]
    accessibility: list[Accessibility]
    phones: list[Phone]
    schedules: list[Schedule]
    attributes: list[Attribute]


class CostOption(BaseModel):
    id: UUID
    service_id: UUID
    option: str
    currency: str | None = None
    amount: float | None = None
    amount_description: str


class RequiredDocument(BaseModel):
    id: UUID
    service_id: UUID
    document: str


class ServiceArea(BaseModel):
    id: UUID
    service_id: UUID
    name: str
    extent: str
    extent_type: Literal["text"] = "text"


class ServiceAtLocation(BaseModel):
    id: UUID
    service_id: UUID
    location_id: UUID
    description: str
    location: Location


class ServiceSummary(BaseModel):
    """A service as a list shows it."""

    id: UUID
    organization_id: UUID
    name: str
    alternate_name: str
    description: str
    status: Literal["active", "inactive", "defunct", "temporarily closed"]
    fees_description: str | None
    application_process: str
    last_modified: datetime
    organization: Organization


class Service(ServiceSummary):
    """A service with everything about it."""

    cost_options: list[CostOption]
    required_documents: list[RequiredDocument]
    service_areas: list[ServiceArea]
    service_at_locations: list[ServiceAtLocation]


class Modified(BaseModel):
    """`minimal`: only what is needed to see what changed."""

    id: UUID
    modified_date: datetime


class PlacedService(BaseModel):
    """服务点: a service at a location, with both."""

    id: UUID
    service_id: UUID
    location_id: UUID
    description: str
    location: Location
    service: Service | ServiceSummary
    last_modified: datetime


Organization.model_rebuild()
