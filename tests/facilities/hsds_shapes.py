"""What HSDS 3.0 asks of the objects we give: which fields there are, of what kind, and which must be.

Written down from the standard. The published JSON Schemas are not ours to hand on; with the folder
of them in `HSDS_SCHEMAS`, the same objects are validated against them, too.
"""

import json
import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs

SCHEMAS = "HSDS_SCHEMAS"
#: Object → field → kind; `!` must be there, `[x]` is a list of objects x.
SHAPES = {
    "service": {
        "id": "uuid!", "organization_id": "uuid", "name": "text!", "alternate_name": "text",
        "description": "text", "fees_description": "text", "application_process": "text",
        "status": "active|inactive|defunct|temporarily closed!", "last_modified": "time",
        "organization": "organization", "cost_options": "[cost_option]",
        "required_documents": "[required_document]", "service_areas": "[service_area]",
        "service_at_locations": "[service_at_location]",
    },
    "organization": {
        "id": "uuid!", "name": "text!", "description": "text!",
        "organization_identifiers": "[organization_identifier]",
    },
    "organization_identifier": {
        "id": "uuid!", "organization_id": "uuid", "identifier_scheme": "text",
        "identifier_type": "text!", "identifier": "text!",
    },
    "location": {
        "id": "uuid!", "location_type": "physical|postal|virtual!", "organization_id": "uuid",
        "name": "text", "description": "text", "latitude": "number", "longitude": "number",
        "external_identifier": "text", "external_identifier_type": "text",
        "addresses": "[address]", "accessibility": "[accessibility]", "phones": "[phone]",
        "schedules": "[schedule]", "attributes": "[attribute]",
    },
    "address": {
        "id": "uuid!", "location_id": "uuid", "address_1": "text!", "city": "text!",
        "region": "text", "state_province": "text!", "postal_code": "text!", "country": "text!",
        "address_type": "physical|postal|virtual!",
    },
    "accessibility": {
        "id": "uuid!", "location_id": "uuid", "description": "text", "details": "text",
    },
    "phone": {"id": "uuid!", "number": "text!", "type": "text", "description": "text"},
    "schedule": {
        "id": "uuid!", "valid_from": "text", "valid_to": "text", "dtstart": "text",
        "until": "text", "timezone": "number", "wkst": "MO|TU|WE|TH|FR|SA|SU",
        "freq": "WEEKLY|MONTHLY", "byday": "text", "opens_at": "text", "closes_at": "text",
        "description": "text", "notes": "text",
    },
    "cost_option": {
        "id": "uuid!", "service_id": "uuid", "option": "text", "currency": "text",
        "amount": "number", "amount_description": "text",
    },
    "required_document": {"id": "uuid!", "service_id": "uuid", "document": "text"},
    "service_area": {
        "id": "uuid!", "service_id": "uuid", "name": "text", "extent": "text",
        "extent_type": "text",
    },
    "service_at_location": {
        "id": "uuid!", "service_id": "uuid", "location_id": "uuid", "description": "text",
        "location": "location", "service": "service", "last_modified": "time",
    },
    "attribute": {
        "id": "uuid!", "link_id": "uuid", "link_entity": "text", "taxonomy_term_id": "uuid",
        "taxonomy_term": "taxonomy_term",
    },
    "taxonomy_term": {
        "id": "uuid!", "code": "text", "name": "text!", "description": "text!",
        "taxonomy": "text", "taxonomy_id": "uuid", "language": "text",
    },
    "taxonomy": {"id": "uuid!", "name": "text!", "description": "text!", "version": "text"},
}  # fmt: skip


def faults(kind: str, found: Any) -> list[str]:
    """Everything in which an object is not what the standard says."""
    told = _faults(kind, found, kind)
    validator = published(kind)
    if validator is not None:
        told += [f"{kind}: {error.message}" for error in validator.iter_errors(found)]
    return told


def _faults(kind: str, found: Any, path: str) -> list[str]:
    shape = SHAPES[kind]
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
        "time": lambda: datetime.fromisoformat(value).tzinfo is not None,
    }
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
