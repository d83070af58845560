"""Open Referral HSDS 3.0: read by anyone; parameters and pages are the standard's."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import ReadSession
from services.facilities.hsds import rules, service
from services.facilities.hsds.listing import Listed
from services.facilities.hsds.repository import Wanted
from services.facilities.hsds.schemas import (
    HSDS_VERSION,
    PROFILE,
    Api,
    ContentPage,
    Location,
    Modified,
    Organization,
    PlacedService,
    Service,
    ServiceSummary,
    Taxonomy,
    TaxonomyTerm,
)

#: Not under /v1: the paths and their version are the standard's.
router = APIRouter(prefix="/hsds", tags=["hsds"])
Full = Annotated[
    bool, Query(description="Return a fully nested service, service_at_location, or organization.")
]
FullService = Annotated[
    bool, Query(description="Fully nested organization with full service information.")
]
Unoffered = Annotated[str | None, Query(description="Not offered: places have no postcodes here.")]
TaxonomyId = Annotated[
    UUID | None, Query(description="Search for what has any term of this taxonomy.")
]
Search = Annotated[str | None, Query(min_length=1, max_length=60, description="Full text search.")]


async def _wanted(
    session: ReadSession,
    search: Search = None,
    modified_after: Annotated[
        datetime | None, Query(description="Return all results modified on or after this datetime.")
    ] = None,
    organization_id: Annotated[
        UUID | None, Query(description="Search for services that this organization provides.")
    ] = None,
    taxonomy_term_id: Annotated[
        UUID | None, Query(description="Search for services with particular taxonomy_term.")
    ] = None,
    taxonomy_id: TaxonomyId = None,
) -> Wanted:
    """What a list is narrowed to; an organisation or term that is none of ours finds nothing.

    Raises:
        HsdsNotFound: there is no such organisation, term or taxonomy.
    """
    if taxonomy_id is not None:  # every place has a term of the one there is
        service.find_taxonomy(taxonomy_id)
    code = None
    if organization_id is not None:
        code = rules.division_of(organization_id)
        if code is None:
            raise service.HsdsNotFound
    kind = None
    if taxonomy_term_id is not None:
        kind = (await service.find_term(session, taxonomy_term_id)).code
    if modified_after is not None and modified_after.tzinfo is None:
        modified_after = modified_after.astimezone()
    return Wanted(
        search=search, modified_after=modified_after, division_code=code, facility_type=kind
    )


#: A list that is narrowed, by page and size.
Lister = Callable[..., Awaitable[ContentPage[Any]]]
Narrowed = Annotated[Wanted, Depends(_wanted)]


@router.get("")
async def describe(request: Request) -> Api:
    """Which version of HSDS this is."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    host = request.headers.get("x-forwarded-host", request.url.netloc)
    return Api(version=HSDS_VERSION, profile=PROFILE, openapi_url=f"{scheme}://{host}/openapi.json")


@router.get(
    "/services",
    response_model=ContentPage[Service] | ContentPage[ServiceSummary] | ContentPage[Modified],
    response_model_exclude_none=True,
)
async def list_services(
    wanted: Narrowed,
    listing: Listed,
    full: Full = False,
    minimal: Annotated[
        bool, Query(description="Return only service 'id' and 'modified_date'.")
    ] = False,
) -> ContentPage[Any] | StreamingResponse:
    """Items that are taken at a counter somewhere."""
    fetch: Lister = service.list_full_services if full else service.list_services
    if minimal:
        fetch = service.list_modified
    return await listing.answer(partial(_narrowed, fetch, wanted))


@router.get("/services/{service_id}", response_model_exclude_none=True)
async def read_service(service_id: UUID, session: ReadSession) -> Service:
    """A service with cost options, required documents and every location."""
    return await service.get_service(session, service_id)


@router.get(
    "/service_at_locations",
    response_model=ContentPage[PlacedService],
    response_model_exclude_none=True,
)
async def list_service_at_locations(
    wanted: Narrowed,
    listing: Listed,
    full: Full = False,
    postcode: Unoffered = None,
    proximity: Unoffered = None,
) -> ContentPage[Any] | StreamingResponse:
    """Services at locations, with both; what is near is asked for at /v1/facilities/nearby."""
    service.ensure_offered(postcode, proximity)
    fetch = service.list_fully_placed if full else service.list_placed
    return await listing.answer(partial(_narrowed, fetch, wanted))


@router.get("/service_at_locations/{placed_id}", response_model_exclude_none=True)
async def read_service_at_location(placed_id: UUID, session: ReadSession) -> PlacedService:
    """One service at one location."""
    return await service.get_placed(session, placed_id)


@router.get("/locations", response_model=ContentPage[Location], response_model_exclude_none=True)
async def list_locations(wanted: Narrowed, listing: Listed) -> ContentPage[Any] | StreamingResponse:
    """Places with address, schedules and accessibility."""
    return await listing.answer(partial(_narrowed, service.list_locations, wanted))


@router.get("/locations/{location_id}", response_model_exclude_none=True)
async def read_location(location_id: UUID, session: ReadSession) -> Location:
    """One place."""
    return await service.get_location(session, location_id)


@router.get(
    "/organizations", response_model=ContentPage[Organization], response_model_exclude_none=True
)
async def list_organizations(
    listing: Listed, search: Search = None, full: Full = False, full_service: FullService = False
) -> ContentPage[Any] | StreamingResponse:
    """Divisions that answer for services or places."""

    async def fetch(session: AsyncSession, page: int, size: int) -> ContentPage[Organization]:
        return await service.list_organizations(
            session, search=search, page=page, size=size, is_full=full or full_service
        )

    return await listing.answer(fetch)


@router.get("/organizations/{organization_id}", response_model_exclude_none=True)
async def read_organization(
    organization_id: UUID, session: ReadSession, full_service: FullService = False
) -> Organization:
    """One organisation."""
    return await service.get_organization(session, organization_id, is_full=full_service)


@router.get("/taxonomies", response_model=ContentPage[Taxonomy])
async def list_taxonomies(
    listing: Listed, search: Search = None
) -> ContentPage[Any] | StreamingResponse:
    """The dictionary of facility types."""

    async def fetch(_: AsyncSession, page: int, size: int) -> ContentPage[Taxonomy]:
        return service.sliced(service.taxonomies(search), page, size)

    return await listing.answer(fetch)


@router.get("/taxonomies/{taxonomy_id}")
async def read_taxonomy(taxonomy_id: UUID) -> Taxonomy:
    """One taxonomy."""
    return service.find_taxonomy(taxonomy_id)


@router.get("/taxonomy_terms", response_model=ContentPage[TaxonomyTerm])
async def list_taxonomy_terms(
    listing: Listed,
    search: Search = None,
    taxonomy_id: TaxonomyId = None,
    _top_only: Annotated[
        bool,
        Query(
            alias="top_only", description="Only terms without a parent: here that is all of them."
        ),
    ] = False,
    parent_id: Annotated[
        UUID | None, Query(description="Terms below this one: here there are none.")
    ] = None,
) -> ContentPage[Any] | StreamingResponse:
    """The kinds of facilities: one level, so that every term is at the top."""
    if taxonomy_id is not None:
        service.find_taxonomy(taxonomy_id)
    if parent_id is not None:
        await service.find_term(listing.session, parent_id)

    async def fetch(session: AsyncSession, page: int, size: int) -> ContentPage[TaxonomyTerm]:
        every = [] if parent_id else await service.list_terms(session, search)
        return service.sliced(every, page, size)

    return await listing.answer(fetch)


@router.get("/taxonomy_terms/{term_id}")
async def read_taxonomy_term(term_id: UUID, session: ReadSession) -> TaxonomyTerm:
    """One kind of facility."""
    return await service.find_term(session, term_id)


async def _narrowed(
    fetch: Lister,
    wanted: Wanted,
    session: AsyncSession,
    page: int,
    size: int,
) -> ContentPage[Any]:
    return await fetch(session, wanted, page=page, size=size)
