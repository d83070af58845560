"""JSON Schemas of the events, for readers in any language; the committed ones are in `schemas/`."""

import inspect
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from contracts.envelope import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMMENT = "#:"


class _Described(GenerateJsonSchema):
    """Takes `#:` comments of the source over as descriptions, and leaves out made-up titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - an override
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        described = super().model_schema(schema)
        for name, text in field_comments(schema["cls"]).items():
            described["properties"][name].setdefault("description", text)
        return described


def event_schema(event: type[Event]) -> dict[str, Any]:
    """The schema of one event's body, with the topic and key it travels under.

    `x-` members are annotations: validators ignore them, the compatibility test does not.
    """
    return {
        "$schema": DIALECT,
        "$id": f"urn:event:{event.event_type}",
        "x-event-type": event.event_type,
        "x-topic": event.topic,
        "x-key": event.key_field,
        **event.model_json_schema(schema_generator=_Described),
    }


def component_schemas(
    events: Sequence[type[Event]], ref_template: str
) -> tuple[dict[str, dict[str, Any]], dict[type[Event], dict[str, Any]]]:
    """The schemas of many events with shared parts, and for each event the reference to its own."""
    references, definitions = models_json_schema(
        [(event, "validation") for event in events],
        ref_template=ref_template,
        schema_generator=_Described,
    )
    by_event = {event: references[event, "validation"] for event in events}
    return dict(sorted(definitions["$defs"].items())), by_event


def field_comments(model: type[BaseModel]) -> dict[str, str]:
    """What the `#:` comments above a model's fields say, those of its bases included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base is BaseModel or not issubclass(base, BaseModel):
            continue
        comment: list[str] = []
        for line in map(str.strip, inspect.getsource(base).splitlines()):
            if line.startswith(_COMMENT):
                comment.append(line.removeprefix(_COMMENT).strip())
                continue
            name = line.partition(":")[0]
            if comment and name in model.model_fields:
                found[name] = " ".join(comment)
            comment = []
    return found
