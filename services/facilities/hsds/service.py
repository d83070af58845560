"""Lists and single objects of the standard, gathered from our tables."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import BadRequest, NotFound
from services.facilities.divisions import service as divisions
from services.facilities.hours import service as hours
from services.facilities.hsds import mapping, repository, rules
from services.facilities.hsds.mapping import Paths
from services.facilities.hsds.repository import Wanted
from services.facilities.hsds.schemas import (
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
from services.facilities.types import service as types

T = TypeVar("T")
#: Days of their own are told this far ahead.
EXCEPTION_DAYS = 90
#: Of one organisation, shown nested; a division's own catalogue has a few hundred items.
MOST_SERVICES = 1000


class HsdsNotFound(NotFound):
    code, title = "hsds-not-found", "没有这个对象"


class ParameterNotOffered(BadRequest):
    code, title = "parameter-not-offered", "设施没有邮政编码；附近的设施请查 /v1/facilities/nearby"


async def list_services(
    session: AsyncSession, wanted: Wanted, *, page: int, size: int
) -> ContentPage[ServiceSummary]:
    """Services that are offered somewhere."""
    rows, total = await _services(session, wanted, page, size)
    paths = await _paths(session, (row.division_code for row in rows))
    contents = [mapping.summary_of(row, row.last_modified, paths) for row in rows]
    return paged(contents, total, page, size)


async def list_full_services(
    session: AsyncSession, wanted: Wanted, *, page: int, size: int
) -> ContentPage[Service]:
    """The same with everything about each."""
    rows, total = await _services(session, wanted, page, size)
    return paged([await _full(session, row) for row in rows], total, page, size)


async def list_modified(
    session: AsyncSession, wanted: Wanted, *, page: int, size: int
) -> ContentPage[Modified]:
    """Only what changed when."""
    rows, total = await _services(session, wanted, page, size)
    contents = [Modified(id=row.item_id, modified_date=row.last_modified) for row in rows]
    return paged(contents, total, page, size)


async def get_service(session: AsyncSession, item_id: UUID) -> Service:
    """One service with everything about it.

    Raises:
        HsdsNotFound: it is offered nowhere.
    """
    rows, _ = await _services(session, Wanted(item_id=item_id), 1, 1)
    if not rows:
        raise HsdsNotFound
    return await _full(session, rows[0])


async def list_placed(
    session: AsyncSession, wanted: Wanted, *, page: int, size: int
) -> ContentPage[PlacedService]:
    """Services at locations, with both."""
    pairs, total = await repository.list_placed(
        session, wanted, offset=(page - 1) * size, limit=size
    )
    items = await repository.find_items(session, [pair.item_id for pair in pairs])
    places = await repository.find_facilities(session, [pair.facility_id for pair in pairs])
    paths = await _paths(session, (item.division_code for item in items.values()))
    locations = {one.id: one for one in await _locations(session, list(places.values()))}
    contents = [
        PlacedService(
            id=rules.placed_id(pair.item_id, pair.facility_id),
            service_id=pair.item_id,
            location_id=pair.facility_id,
            description=f"{places[pair.facility_id].name}受理{items[pair.item_id].name}",
            location=locations[pair.facility_id],
            service=mapping.summary_of(items[pair.item_id], pair.last_modified, paths),
            last_modified=pair.last_modified,
        )
        for pair in pairs
    ]
    return paged(contents, total, page, size)


async def list_fully_placed(
    session: AsyncSession, wanted: Wanted, *, page: int, size: int
) -> ContentPage[PlacedService]:
    """The same with everything about each service."""
    found = await list_placed(session, wanted, page=page, size=size)
    whole = {
        item_id: await get_service(session, item_id)
        for item_id in {placed.service_id for placed in found.contents}
    }
    contents = [
        placed.model_copy(update={"service": whole[placed.service_id]}) for placed in found.contents
    ]
    return found.model_copy(update={"contents": contents})


async def get_placed(session: AsyncSession, placed_id: UUID) -> PlacedService:
    """One service at one location.

    Raises:
        HsdsNotFound: there is none.
    """
    return _only(await list_placed(session, Wanted(placed_id=placed_id), page=1, size=1))


async def list_locations(
    session: AsyncSession, wanted: Wanted, *, page: int, size: int
) -> ContentPage[Location]:
    """Places, whether or not anything is offered there."""
    rows, total = await repository.list_facilities(
        session, wanted=wanted, offset=(page - 1) * size, limit=size
    )
    return paged(await _locations(session, rows), total, page, size)


async def get_location(session: AsyncSession, facility_id: UUID) -> Location:
    """One place.

    Raises:
        HsdsNotFound: there is none, or it is planned or closed.
    """
    return _only(await list_locations(session, Wanted(facility_id=facility_id), page=1, size=1))


async def list_organizations(
    session: AsyncSession,
    *,
    search: str | None,
    page: int,
    size: int,
    code: str | None = None,
    is_full: bool = False,
) -> ContentPage[Organization]:
    """Divisions that answer for services or places; `is_full`: with everything about those."""
    rows, total = await repository.list_organizations(
        session, search=search, code=code, offset=(page - 1) * size, limit=size
    )
    paths = await _paths(session, (row.code for row in rows))
    contents = [mapping.organization_of(row.code, paths) for row in rows]
    if is_full:
        contents = [
            each.model_copy(update={"services": await _services_of(session, row.code)})
            for each, row in zip(contents, rows, strict=True)
        ]
    return paged(contents, total, page, size)


async def get_organization(
    session: AsyncSession, organization_id: UUID, *, is_full: bool = False
) -> Organization:
    """One division as an organisation.

    Raises:
        HsdsNotFound: it has neither services nor places.
    """
    code = rules.division_of(organization_id)
    if code is None:
        raise HsdsNotFound
    one = _only(
        await list_organizations(session, search=None, page=1, size=1, code=code, is_full=is_full)
    )
    if is_full:
        return one
    found = await list_services(session, Wanted(division_code=code), page=1, size=MOST_SERVICES)
    return one.model_copy(update={"services": found.contents})


async def list_terms(session: AsyncSession, search: str | None) -> list[TaxonomyTerm]:
    """The kinds of facilities as terms."""
    return [
        mapping.term_of(entry.code, entry.name, entry.source)
        for entry in await types.list_types(session)
        if not search or search in entry.name
    ]


async def find_term(session: AsyncSession, term_id: UUID) -> TaxonomyTerm:
    """One term.

    Raises:
        HsdsNotFound: there is none.
    """
    for term in await list_terms(session, None):
        if term.id == term_id:
            return term
    raise HsdsNotFound


def find_taxonomy(taxonomy_id: UUID) -> Taxonomy:
    """One taxonomy.

    Raises:
        HsdsNotFound: there is none.
    """
    for taxonomy in taxonomies():
        if taxonomy.id == taxonomy_id:
            return taxonomy
    raise HsdsNotFound


def taxonomies(search: str | None = None) -> list[Taxonomy]:
    """The one taxonomy there is."""
    return [mapping.TAXONOMY] if not search or search in mapping.TAXONOMY.name else []


def ensure_offered(*values: str | None) -> None:
    """Parameters of the standard that would need what nobody records here.

    Raises:
        ParameterNotOffered: one of them was sent.
    """
    if any(value is not None for value in values):
        raise ParameterNotOffered


def sliced(every: Sequence[T], page: int, size: int) -> ContentPage[T]:
    """A page of what is at hand as a whole."""
    return paged(every[(page - 1) * size : page * size], len(every), page, size)


def paged(contents: Sequence[T], total: int, page: int, size: int) -> ContentPage[T]:
    """A page with the standard's counts."""
    last = rules.pages(total, size)
    return ContentPage(
        total_items=total,
        total_pages=last,
        page_number=page,
        size=len(contents),
        first_page=page == 1,
        last_page=page >= last,
        empty=not contents,
        contents=list(contents),
    )


async def _services(
    session: AsyncSession, wanted: Wanted, page: int, size: int
) -> tuple[list[Any], int]:
    return await repository.list_services(session, wanted, offset=(page - 1) * size, limit=size)


async def _services_of(session: AsyncSession, division_code: str) -> list[Service]:
    rows, _ = await repository.list_services(
        session, Wanted(division_code=division_code), offset=0, limit=MOST_SERVICES
    )
    return [await _full(session, row) for row in rows]


async def _full(session: AsyncSession, row: Any) -> Service:
    places = await repository.find_facilities(
        session, await repository.facilities_of(session, row.item_id)
    )
    locations = await _locations(session, list(places.values()))
    paths = await _paths(session, [row.division_code])
    return mapping.service_of(row, row.last_modified, locations, paths)


async def _locations(session: AsyncSession, rows: Sequence[Any]) -> list[Location]:
    paths = await _paths(session, (row.division_code for row in rows))
    today = hours.local_moment(None).date()
    special = await hours.list_exceptions_of(
        session, [row.id for row in rows], first=today, last=today + timedelta(EXCEPTION_DAYS)
    )
    return [mapping.location_of(row, special.get(row.id, ()), paths) for row in rows]


async def _paths(session: AsyncSession, codes: Iterable[str]) -> Paths:
    return await divisions.paths(session, sorted(set(codes)))


def _only(page: ContentPage[T]) -> T:
    if not page.contents:
        raise HsdsNotFound
    return page.contents[0]
