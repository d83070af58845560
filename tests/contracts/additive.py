"""Whether a new version of an event's JSON Schema only adds to the old one.

Publishers and readers are deployed in any order, so both directions count: what was published
under the old schema must still validate, and a field an old reader relies on must keep its type.
A new member of an enumeration is allowed: it reaches an old reader as a dead letter, to be replayed
once that reader is new. Deploy readers first.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_IDENTITY = ("x-event-type", "x-topic", "x-key")
#: A larger value allows less.
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
#: Nothing can be said about how two values of these compare.
_OPAQUE = ("pattern", "format", "multipleOf", "uniqueItems", "contains", "not", "if")


def violations(old: Schema, new: Schema) -> list[str]:
    """Everything a new schema takes away or narrows, each as a JSON path and a few words."""
    renamed = [f"{name[2:]} changed" for name in _IDENTITY if old.get(name) != new.get(name)]
    return renamed + sorted(set(_Comparison(old, new).compare(old, new, "$")))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_root, self._new_root = old, new
        self._open: set[tuple[str, str]] = set()

    def compare(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if pair in self._open:
            return
        if all(pair):
            self._open.add(pair)
        yield from self._compare(old, new, path)
        self._open.discard(pair)

    def _compare(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if "default" in old and old["default"] != new.get("default"):
            yield f"{path}: default was changed"
        olds = self._alternatives(old, self._old_root)
        news = self._alternatives(new, self._new_root)
        for kind in olds.keys() - news.keys():
            yield f"{path}: type {kind} was removed"
        for kind in news.keys() - olds.keys():
            yield f"{path}: type {kind} was added to an existing value"
        for kind in olds.keys() & news.keys():
            yield from self._same_kind(olds[kind], news[kind], path)

    def _alternatives(self, schema: Schema, root: Schema) -> dict[str, Schema]:
        """The branches of a schema by what tells them apart: type, and title for objects."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._alternatives(root["$defs"][name], root)
        branches = schema.get("anyOf") or schema.get("oneOf")
        if branches:
            return {
                kind: branch
                for part in branches
                for kind, branch in self._alternatives(part, root).items()
            }
        kinds = schema.get("type", "anything")
        if isinstance(kinds, list):
            return {kind: {**schema, "type": kind} for kind in kinds}
        if kinds == "object" and "properties" in schema:
            return {f"object {schema.get('title', '')}".strip(): schema}
        return {kinds: schema}

    def _same_kind(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        yield from _values(old, new, path)
        yield from _limits(old, new, path)
        yield from self._object(old, new, path)
        for keyword, suffix in (("items", "[]"), ("propertyNames", "{key}")):
            yield from self._part(old, new, keyword, path + suffix)
        yield from self._part(old, new, "additionalProperties", path + "{}")
        old_items, new_items = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(old_items) != len(new_items):
            yield f"{path}: prefixItems changed"
        for position, (before, after) in enumerate(zip(old_items, new_items, strict=False)):
            yield from self.compare(before, after, f"{path}[{position}]")

    def _object(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before.keys() - after.keys():
            yield f"{path}.{name}: field was removed"
        for name in set(new.get("required", ())) - set(old.get("required", ())):
            yield f"{path}.{name}: field is newly required"
        for name in before.keys() & after.keys():
            yield from self.compare(before[name], after[name], f"{path}.{name}")

    def _part(self, old: Schema, new: Schema, keyword: str, path: str) -> Iterator[str]:
        before, after = old.get(keyword, True), new.get(keyword, True)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self.compare(before, after, path)
        elif after is not True and before != after:
            yield f"{path}: {keyword} was narrowed"


def _values(old: Schema, new: Schema, path: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if after is None:
        return
    if before is None:
        yield f"{path}: any value was narrowed to an enumeration"
        return
    for value in before:
        if value not in after:
            yield f"{path}: value {value!r} was removed"


def _allowed(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _limits(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for name in _LOWER:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{path}: {name} was raised"
    for name in _UPPER:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{path}: {name} was lowered"
    for name in _OPAQUE:
        if name in new and new[name] != old.get(name):
            yield f"{path}: {name} was added or changed"
