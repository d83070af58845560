"""Rows of ours as objects of the standard."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.facilities.hsds import rules
from services.facilities.hsds.schemas import (
    Accessibility,
    Address,
    Attribute,
    CostOption,
    Location,
    Organization,
    OrganizationIdentifier,
    Phone,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceSummary,
    Taxonomy,
    TaxonomyTerm,
)

#: Division code → (code, name) from the province down, itself last.
Paths = Mapping[str, Sequence[tuple[str, str]]]
TAXONOMY = Taxonomy(
    id=rules.identifier("taxonomy", "facility-types"),
    name="设施类型",
    description="社区服务设施类型字典；代码为本项目自定，名称取自政策原文",
    version="1",
)


def term_of(code: str, name: str, source: str) -> TaxonomyTerm:
    """A kind of facility as a term."""
    return TaxonomyTerm(
        id=rules.identifier("term", code),
        code=code,
        name=name,
        description=source,
        taxonomy=TAXONOMY.name,
        taxonomy_id=TAXONOMY.id,
    )


def organization_of(code: str, paths: Paths) -> Organization:
    """A division as the organisation that answers for its places and services."""
    path = paths[code]
    organization = rules.organization_id(code)
    return Organization(
        id=organization,
        name=path[-1][1],
        description="/".join(name for _, name in path),
        organization_identifiers=[
            OrganizationIdentifier(
                id=rules.identifier("organization-identifier", code),
                organization_id=organization,
                identifier_scheme="CN-统计用区划代码",
                identifier_type="统计用区划代码",
                identifier=code,
            )
        ],
    )


def location_of(row: Any, exceptions: Sequence[Any], paths: Paths) -> Location:
    """A facility as a location."""
    term = term_of(row.facility_type, row.type_name, row.type_source)
    return Location(
        id=row.id,
        organization_id=rules.organization_id(row.division_code),
        name=row.name,
        description=f"{row.type_name}，{'/'.join(name for _, name in paths[row.division_code])}",
        latitude=row.latitude,
        longitude=row.longitude,
        external_identifier=row.division_code,
        external_identifier_type="统计用区划代码",
        addresses=[_address(row, paths[row.division_code])],
        accessibility=[
            Accessibility(
                id=rules.identifier("accessibility", row.id, name),
                location_id=row.id,
                description=words,
                details=has,
            )
            for name, words, has in rules.access_words(row.accessibility)
        ],
        phones=_phones(row),
        schedules=[*_weekly(row), *_exceptions(row, exceptions)],
        attributes=[
            Attribute(
                id=rules.identifier("attribute", row.id, row.facility_type),
                link_id=row.id,
                link_entity="location",
                taxonomy_term_id=term.id,
                taxonomy_term=term,
            )
        ],
    )


def _address(row: Any, path: Sequence[tuple[str, str]]) -> Address:
    names = [name for _, name in path] + [""] * 3
    return Address(
        id=rules.identifier("address", row.id),
        location_id=row.id,
        address_1=row.address,
        state_province=names[0],
        city=names[1],
        region=names[2],
    )


def _phones(row: Any) -> list[Phone]:
    told = [("咨询电话", row.phone)] if row.phone else []
    told += [(contact["post"], contact["phone"]) for contact in row.contacts or ()]
    return [
        Phone(id=rules.identifier("phone", row.id, post, number), number=number, description=post)
        for post, number in told
    ]


def _weekly(row: Any) -> list[Schedule]:
    if row.weekly_hours is None:
        return []
    found = rules.weekly_rules(row.weekly_hours)
    for season in row.seasons or ():
        found += rules.weekly_rules(season["hours"], rules.season_words(season))
    notes = rules.holiday_words(row.holiday_policy)
    return [
        Schedule(
            id=rules.identifier("schedule", row.id, rule.byday, rule.opens_at, rule.description),
            freq="WEEKLY",
            wkst="MO",
            byday=rule.byday,
            opens_at=rule.opens_at,
            closes_at=rule.closes_at,
            description=rule.description,
            notes=notes,
        )
        for rule in found
    ]


def _exceptions(row: Any, exceptions: Sequence[Any]) -> list[Schedule]:
    """Days of their own; a day off has no times."""
    found = []
    for entry in exceptions:
        day = entry.day.isoformat()
        for interval in entry.intervals or [None]:
            opens = interval["opens"] if interval else None
            found.append(
                Schedule(
                    id=rules.identifier("schedule", row.id, day, opens),
                    valid_from=day,
                    valid_to=day,
                    dtstart=day,
                    until=day,
                    opens_at=f"{opens}{rules.OFFSET}" if interval else None,
                    closes_at=f"{interval['closes']}{rules.OFFSET}" if interval else None,
                    description=entry.reason if interval else f"不开放：{entry.reason}",
                )
            )
    return found


def summary_of(item: Any, last_modified: Any, paths: Paths) -> ServiceSummary:
    """An item as a service, for a list."""
    return ServiceSummary(
        id=item.item_id,
        organization_id=rules.organization_id(item.division_code),
        name=item.name,
        alternate_name=item.item_code,
        description=item.state["summary"],
        status=rules.STATUS[item.status],
        fees_description=rules.fees_words(item.state.get("fee")),
        application_process="到受理窗口或者网上申请，须带材料见 required_documents",
        last_modified=last_modified,
        organization=organization_of(item.division_code, paths),
    )


def service_of(
    item: Any, last_modified: Any, locations: Sequence[Location], paths: Paths
) -> Service:
    """An item with everything about it."""
    state = item.state
    return Service(
        **summary_of(item, last_modified, paths).model_dump(),
        cost_options=[
            CostOption(
                id=rules.identifier("cost", item.item_id, option),
                service_id=item.item_id,
                option=option,
                currency="cny" if amount is not None else None,
                amount=amount,
                amount_description=words,
            )
            for option, amount, words in rules.costs(state.get("fee"))
        ],
        required_documents=[
            RequiredDocument(
                id=rules.identifier("document", item.item_id, material["code"]),
                service_id=item.item_id,
                document=rules.document_words(material),
            )
            for material in state["materials"]
        ],
        service_areas=[
            ServiceArea(
                id=rules.identifier("area", item.item_id, item.division_code),
                service_id=item.item_id,
                name="/".join(name for _, name in paths[item.division_code]),
                extent=item.division_code,
            )
        ],
        service_at_locations=[
            ServiceAtLocation(
                id=rules.placed_id(item.item_id, location.id),
                service_id=item.item_id,
                location_id=location.id,
                description=f"{location.name}受理{item.name}",
                location=location,
            )
            for location in locations
        ],
    )
