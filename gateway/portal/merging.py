"""One OpenAPI document out of many: what the route table exposes, names made unique. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.portal.answers import NAME, PROBLEM, describe_refusals
from gateway.routes import RouteTable, Service

Document = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_REFERENCE = "#/components/"


def merge(
    documents: Mapping[Service, Document],
    table: RouteTable,
    *,
    title: str,
    description: str,
    server: str,
) -> Document:
    """Merge services' documents; a service that is absent is simply not in it.

    A component keeps its name unless two services mean different things by it; then each later
    one is called `<service>_<name>`. Components that refer to a renamed one are renamed too.
    """
    paths: Document = {}
    components: dict[str, Document] = {"schemas": {NAME: PROBLEM}}
    operation_ids: set[str] = set()
    tags = []
    for service, given in documents.items():
        renamed = _collisions(given.get("components", {}), components)
        document = _with_names(given, renamed, prefix=f"{service.value}_")
        exposed = _exposed(document.get("paths", {}), service, table)
        if not exposed:
            continue
        tags.append({"name": service.value, "description": document["info"]["title"]})
        for path, item in exposed.items():
            for operation in _operations(item):
                operation["tags"] = [service.value]
                describe_refusals(operation)
                _make_unique(operation, operation_ids, service)
            paths[path] = item
        for section, named in document.get("components", {}).items():
            components.setdefault(section, {}).update(named)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": description},
        "servers": [{"url": server}],
        "tags": tags,
        "paths": dict(sorted(paths.items())),
        "components": _reachable(paths, components),
    }


def _exposed(paths: Document, service: Service, table: RouteTable) -> Document:
    exposed = {}
    for path, item in paths.items():
        route = table.find(path)
        if route is None or route.service is not service:
            continue
        shown = {
            name: part
            for name, part in item.items()
            if name not in METHODS or name.upper() in route.methods
        }
        if any(name in METHODS for name in shown):
            exposed[path] = shown
    return exposed


def _operations(item: Document) -> Iterator[Document]:
    return (part for name, part in item.items() if name in METHODS)


def _make_unique(operation: Document, taken: set[str], service: Service) -> None:
    name = operation.get("operationId")
    if name in taken:
        name = operation["operationId"] = f"{service.value}_{name}"
    if name:
        taken.add(name)


def _collisions(new: Document, known: Mapping[str, Document]) -> set[tuple[str, str]]:
    """Components that must be renamed: other content, or a reference to one that must."""
    renamed = {
        (section, name)
        for section, named in new.items()
        for name, content in named.items()
        if known.get(section, {}).get(name, content) != content
    }
    while True:
        more = {
            (section, name)
            for section, named in new.items()
            for name, content in named.items()
            if name in known.get(section, {}) and renamed.intersection(_references(content))
        }
        if more <= renamed:
            return renamed
        renamed |= more


def _with_names(document: Document, renamed: set[tuple[str, str]], *, prefix: str) -> Document:
    """A copy of a document with some components renamed, references included."""

    def rename(part: Any) -> Any:
        if isinstance(part, list):
            return [rename(entry) for entry in part]
        if not isinstance(part, dict):
            return part
        copy = {name: rename(value) for name, value in part.items()}
        reference = _parsed(copy.get("$ref"))
        if reference in renamed:
            copy["$ref"] = f"{_REFERENCE}{reference[0]}/{prefix}{reference[1]}"
        return copy

    copy: Document = rename(document)
    for section, named in copy.get("components", {}).items():
        copy["components"][section] = {
            f"{prefix}{name}" if (section, name) in renamed else name: content
            for name, content in named.items()
        }
    return copy


def _reachable(paths: Document, components: dict[str, Document]) -> dict[str, Document]:
    """What the exposed paths use, directly or not; security schemes as a whole."""
    wanted: set[tuple[str, str]] = set()
    queue = list(_references(paths))
    while queue:
        section, name = reference = queue.pop()
        if reference not in wanted and name in components.get(section, {}):
            wanted.add(reference)
            queue.extend(_references(components[section][name]))
    kept: dict[str, Document] = {}
    for section, named in components.items():
        used = {
            name: content
            for name, content in sorted(named.items())
            if section == "securitySchemes" or (section, name) in wanted
        }
        if used:
            kept[section] = used
    return kept


def _references(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, list):
        for entry in part:
            yield from _references(entry)
    elif isinstance(part, dict):
        reference = _parsed(part.get("$ref"))
        if reference:
            yield reference
        for value in part.values():
            yield from _references(value)


def _parsed(reference: Any) -> tuple[str, str] | None:
    if not isinstance(reference, str) or not reference.startswith(_REFERENCE):
        return None
    section, _, name = reference.removeprefix(_REFERENCE).partition("/")
    return section, name


def to_bytes(document: Document) -> bytes:
    """The document as it is served."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
