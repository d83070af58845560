"""Open Referral HSDS 3.0: read by anyone; parameters and pages are the standard's."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from servicekit.database import ReadSession
from services.facilities.hsds import rules, service
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
MAX_PAGE = 100_000
Page = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Page number of paginated result.")]
PerPage = Annotated[int, Query(ge=1, le=100, description="Number of results in a single page.")]
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
    taxonomy_id: Annotated[
        UUID | None, Query(description="Search for services with any term of this taxonomy.")
    ] = None,
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


Narrowed = Annotated[Wanted, Depends(_wanted)]


@router.get("")
async def describe(request: Request) -> Api:
    """Which version of HSDS this is."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    host = request.headers.get("x-forwarded-host", request.url.netloc)
    return Api(version=HSDS_VERSION, profile=PROFILE, openapi_url=f"{scheme}://{host}/openapi.json")


@router.get("/services", response_model_exclude_none=True)
async def list_services(
    session: ReadSession,
    wanted: Narrowed,
    page: Page = 1,
    per_page: PerPage = 20,
    full: Annotated[bool, Query(description="Return fully nested services.")] = False,
    minimal: Annotated[
        bool, Query(description="Return only service 'id' and 'modified_date'.")
    ] = False,
) -> ContentPage[Service] | ContentPage[ServiceSummary] | ContentPage[Modified]:
    """Items that are taken at a counter somewhere."""
    if minimal:
        return await service.list_modified(session, wanted, page=page, size=per_page)
    if full:
        return await service.list_full_services(session, wanted, page=page, size=per_page)
    return await service.list_services(session, wanted, page=page, size=per_page)


@router.get("/services/{service_id}", response_model_exclude_none=True)
async def read_service(service_id: UUID, session: ReadSession) -> Service:
    """A service with cost options, required documents and every location."""
    return await service.get_service(session, service_id)


@router.get("/service_at_locations", response_model_exclude_none=True)
async def list_service_at_locations(
    session: ReadSession, wanted: Narrowed, page: Page = 1, per_page: PerPage = 20
) -> ContentPage[PlacedService]:
    """Services at locations, with both."""
    return await service.list_placed(session, wanted, page=page, size=per_page)


@router.get("/service_at_locations/{placed_id}", response_model_exclude_none=True)
async def read_service_at_location(placed_id: UUID, session: ReadSession) -> PlacedService:
    """One service at one location."""
    return await service.get_placed(session, placed_id)


@router.get("/locations", response_model_exclude_none=True)
async def list_locations(
    session: ReadSession, wanted: Narrowed, page: Page = 1, per_page: PerPage = 20
) -> ContentPage[Location]:
    """Places with address, schedules and accessibility."""
    return await service.list_locations(session, wanted, page=page, size=per_page)


@router.get("/locations/{location_id}", response_model_exclude_none=True)
async def read_location(location_id: UUID, session: ReadSession) -> Location:
    """One place."""
    return await service.get_location(session, location_id)


@router.get("/organizations", response_model_exclude_none=True)
async def list_organizations(
    session: ReadSession, search: Search = None, page: Page = 1, per_page: PerPage = 20
) -> ContentPage[Organization]:
    """Divisions that answer for services or places."""
    return await service.list_organizations(session, search=search, page=page, size=per_page)


@router.get("/organizations/{organization_id}", response_model_exclude_none=True)
async def read_organization(organization_id: UUID, session: ReadSession) -> Organization:
    """One organisation."""
    return await service.get_organization(session, organization_id)


@router.get("/taxonomies")
async def list_taxonomies(page: Page = 1, per_page: PerPage = 20) -> ContentPage[Taxonomy]:
    """The dictionary of facility types."""
    every = service.taxonomies()
    shown = every[(page - 1) * per_page : page * per_page]
    return service.paged(shown, len(every), page, per_page)


@router.get("/taxonomies/{taxonomy_id}")
async def read_taxonomy(taxonomy_id: UUID) -> Taxonomy:
    """One taxonomy."""
    return service.find_taxonomy(taxonomy_id)


@router.get("/taxonomy_terms")
async def list_taxonomy_terms(
    session: ReadSession, search: Search = None, page: Page = 1, per_page: PerPage = 20
) -> ContentPage[TaxonomyTerm]:
    """The kinds of facilities."""
    every = await service.list_terms(session, search)
    shown = every[(page - 1) * per_page : page * per_page]
    return service.paged(shown, len(every), page, per_page)


@router.get("/taxonomy_terms/{term_id}")
async def read_taxonomy_term(term_id: UUID, session: ReadSession) -> TaxonomyTerm:
    """One kind of facility."""
    return await service.find_term(session, term_id)
