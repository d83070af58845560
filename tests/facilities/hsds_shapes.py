"""What HSDS 3.0 asks of the objects we give: which fields there are, of what kind, and which must be.

Written down from the standard. The published JSON Schemas are not ours to hand on; with the folder
of them in `HSDS_SCHEMAS`, the same objects are validated against them, too.
"""

import json
import os
import re
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs

SCHEMAS = "HSDS_SCHEMAS"
#: Object → field → kind; `!` must be there, `[x]` is a list of objects x.
SHAPES = {
    "service": {
        "id": "uuid!", "organization_id": "uuid", "program_id": "uuid", "name": "text!",
        "alternate_name": "text", "description": "text", "url": "uri", "email": "email",
        "status": "active|inactive|defunct|temporarily closed!", "interpretation_services": "text",
        "application_process": "text", "fees_description": "text", "eligibility_description": "text",
        "minimum_age": "number", "maximum_age": "number", "assured_date": "text",
        "assurer_email": "email", "alert": "text", "last_modified": "time", "phones": "[phone]",
        "schedules": "[schedule]", "organization": "organization", "cost_options": "[cost_option]",
        "required_documents": "[required_document]", "service_areas": "[service_area]",
        "service_at_locations": "[service_at_location]", "attributes": "[attribute]",
    },
    "organization": {
        "id": "uuid!", "name": "text!", "alternate_name": "text", "description": "text!",
        "email": "email", "website": "uri", "year_incorporated": "number", "legal_status": "text",
        "logo": "text", "uri": "uri", "parent_organization_id": "uuid", "phones": "[phone]",
        "locations": "[location]", "organization_identifiers": "[organization_identifier]",
        "attributes": "[attribute]",
    },
    "organization_identifier": {
        "id": "uuid!", "organization_id": "uuid", "identifier_scheme": "text",
        "identifier_type": "text!", "identifier": "text!",
    },
    "location": {
        "id": "uuid!", "location_type": "physical|postal|virtual!", "url": "uri",
        "organization_id": "uuid", "name": "text", "alternate_name": "text", "description": "text",
        "transportation": "text", "latitude": "number", "longitude": "number",
        "external_identifier": "text", "external_identifier_type": "text",
        "addresses": "[address]", "accessibility": "[accessibility]", "phones": "[phone]",
        "schedules": "[schedule]", "attributes": "[attribute]",
    },
    "address": {
        "id": "uuid!", "location_id": "uuid", "attention": "text", "address_1": "text!",
        "address_2": "text", "city": "text!", "region": "text", "state_province": "text!",
        "postal_code": "text!", "country": "text!", "address_type": "physical|postal|virtual!",
    },
    "accessibility": {
        "id": "uuid!", "location_id": "uuid", "description": "text", "details": "text",
        "url": "uri", "attributes": "[attribute]",
    },
    "phone": {
        "id": "uuid!", "number": "text!", "extension": "number", "type": "text",
        "description": "text",
    },
    "schedule": {
        "id": "uuid!", "service_id": "uuid", "location_id": "uuid",
        "service_at_location_id": "uuid", "valid_from": "date", "valid_to": "date",
        "dtstart": "date", "timezone": "number", "until": "date", "count": "number",
        "wkst": "MO|TU|WE|TH|FR|SA|SU", "freq": "WEEKLY|MONTHLY", "interval": "number",
        "byday": "byday", "byweekno": "text", "bymonthday": "text", "byyearday": "text",
        "description": "text", "opens_at": "clock", "closes_at": "clock", "schedule_link": "uri",
        "attending_type": "text", "notes": "text", "attributes": "[attribute]",
    },
    "cost_option": {
        "id": "uuid!", "service_id": "uuid", "valid_from": "date", "valid_to": "date",
        "option": "text", "currency": "currency", "amount": "number",
        "amount_description": "text", "attributes": "[attribute]",
    },
    "required_document": {
        "id": "uuid!", "service_id": "uuid", "document": "text", "uri": "uri",
        "attributes": "[attribute]",
    },
    "service_area": {
        "id": "uuid!", "service_id": "uuid", "name": "text", "description": "text",
        "extent": "text", "extent_type": "text", "uri": "text",
    },
    "service_at_location": {
        "id": "uuid!", "service_id": "uuid", "location_id": "uuid", "description": "text",
        "phones": "[phone]", "schedules": "[schedule]", "location": "location",
        "attributes": "[attribute]",
    },
    "attribute": {
        "id": "uuid!", "link_id": "uuid", "link_entity": "text", "taxonomy_term_id": "uuid",
        "taxonomy_term": "taxonomy_term",
    },
    "taxonomy_term": {
        "id": "uuid!", "code": "text", "name": "text!", "description": "text!",
        "parent_id": "uuid", "taxonomy": "text", "taxonomy_id": "uuid", "language": "text",
        "term_uri": "uri",
    },
    "taxonomy": {
        "id": "uuid!", "name": "text!", "description": "text!", "uri": "uri", "version": "text",
    },
}  # fmt: skip
#: What the API gives beside the object schemas: of a service at a location, the service and when
#: either changed; of an organisation, its services.
BESIDE = {
    "service_at_location": {"service": "service", "last_modified": "time"},
    "organization": {"services": "[service]"},
}
#: Field of a page → its type; the entries stand in `contents`.
PAGE = {
    "total_items": int, "total_pages": int, "page_number": int, "size": int,
    "first_page": bool, "last_page": bool, "empty": bool, "contents": list,
}  # fmt: skip
_DAY = "(MO|TU|WE|TH|FR|SA|SU)"
_PATTERNS = {
    # Hours and minutes with their offset from UTC; the end of a day is 24:00.
    "clock": re.compile(r"(([01]\d|2[0-3]):[0-5]\d|24:00)(Z|[+-]\d\d:\d\d)"),
    "byday": re.compile(rf"[+-]?\d*{_DAY}(,[+-]?\d*{_DAY})*"),
    "email": re.compile(r"[^@\s]+@[^@\s]+"),
    "uri": re.compile(r"[a-z][a-z0-9+.-]*:\S+"),
    "currency": re.compile(r"[a-z]{3}"),
}


def faults(kind: str, found: Any) -> list[str]:
    """Everything in which an object is not what the standard says."""
    told = _faults(kind, found, kind)
    validator = published(kind)
    if validator is not None:
        told += [f"{kind}: {error.message}" for error in validator.iter_errors(found)]
    return told


def page_faults(kind: str, page: Any) -> list[str]:
    """Everything in which a page of a list is not what the standard says, its entries included."""
    told = [f"page.{name}: not in the standard" for name in page if name not in PAGE]
    told += [
        f"page.{name}: {page.get(name)!r} is not {expected.__name__}"
        for name, expected in PAGE.items()
        if type(page.get(name)) is not expected
    ]
    if told:
        return told
    number, pages, shown = page["page_number"], page["total_pages"], page["contents"]
    sums = {
        "size": len(shown),
        "empty": not shown,
        "first_page": number == 1,
        "last_page": number >= pages,
    }
    told += [f"page.{name}: {page[name]!r}" for name, right in sums.items() if page[name] != right]
    if page["total_items"] < len(shown):
        told.append("page.total_items: fewer than there are")
    return told + [fault for one in shown for fault in faults(kind, one)]


def contradictions() -> list[str]:
    """Where the table says something else than the published schemas; none are read without them."""
    folder = os.environ.get(SCHEMAS)
    told = []
    for kind, shape in SHAPES.items() if folder else ():
        schema = json.loads((Path(folder or "") / f"{kind}.json").read_text(encoding="utf-8"))
        must = {name for name, words in shape.items() if words.endswith("!")}
        if must != set(schema.get("required", ())):
            told.append(f"{kind}: required {sorted(must ^ set(schema.get('required', ())))}")
        for name, words in shape.items():
            told += _field_contradictions(f"{kind}.{name}", words.rstrip("!"), schema, name)
    return told


_FORMATS = {"uuid": "uuid", "uri": "uri", "email": "email", "time": "date-time"}


def _field_contradictions(path: str, words: str, schema: Any, name: str) -> list[str]:
    found = schema["properties"].get(name)
    if found is None:
        return [f"{path}: the standard has no such field"]
    if words.startswith("["):
        wanted = found.get("items", {}).get("$ref") == f"{words[1:-1]}.json"
    elif words in SHAPES:
        wanted = found.get("$ref") == f"{words}.json"
    elif "|" in words:
        wanted = found.get("enum") == words.split("|")
    elif words == "number":
        wanted = found.get("type") in ("number", "integer")
    else:
        wanted = found.get("type") == "string" and found.get("format") == _FORMATS.get(words)
    return (
        []
        if wanted
        else [
            f"{path}: {words}, but published {found.get('type')}/{found.get('format')}/{found.get('enum')}"
        ]
    )


def _faults(kind: str, found: Any, path: str) -> list[str]:
    shape = SHAPES[kind] | BESIDE.get(kind, {})
    told = [f"{path}.{name}: not in the standard" for name in found if name not in shape]
    for name, expected in shape.items():
        must, words = expected.endswith("!"), expected.rstrip("!")
        if name not in found:
            if must:
                told.append(f"{path}.{name}: missing")
            continue
        told += _value_faults(words, found[name], f"{path}.{name}")
    return told


def _value_faults(words: str, value: Any, path: str) -> list[str]:
    if words.startswith("["):
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [fault for one in value for fault in _faults(words[1:-1], one, path)]
    if words in SHAPES:
        return _faults(words, value, path)
    checks = {
        "uuid": lambda: str(UUID(value)) == value,
        "text": lambda: isinstance(value, str),
        "number": lambda: isinstance(value, int | float) and not isinstance(value, bool),
        "date": lambda: str(date.fromisoformat(value)) == value,
        "time": lambda: datetime.fromisoformat(value).tzinfo is not None,
    }
    if words in _PATTERNS:
        checks[words] = lambda: _PATTERNS[words].fullmatch(value) is not None
    try:
        fits = checks[words]() if words in checks else value in words.split("|")
    except (ValueError, TypeError, AttributeError):
        fits = False
    return [] if fits else [f"{path}: {value!r} is not {words}"]


@cache
def published(kind: str) -> jsonschema_rs.Draft202012Validator | None:
    """The published schema of an object, where somebody has the folder of them."""
    folder = os.environ.get(SCHEMAS)
    if folder is None:
        return None
    resources = [
        (f"json-schema:///{path.name}", json.loads(path.read_text(encoding="utf-8")))
        for path in Path(folder).glob("*.json")
        if path.name != "openapi.json"
    ]
    registry = jsonschema_rs.Registry(resources)
    schema = {"$ref": f"json-schema:///{kind}.json"}
    return jsonschema_rs.Draft202012Validator(schema, registry=registry, validate_formats=True)
