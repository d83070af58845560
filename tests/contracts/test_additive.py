"""The comparison of two schemas, on seeded changes."""

import copy
from enum import StrEnum
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field

from contracts.envelope import Event
from contracts.json_schemas import event_schema
from tests.contracts.additive import violations


class Colour(StrEnum):
    green = "green"
    red = "red"


class Part(BaseModel):
    code: str
    amount: int = Field(ge=1, le=10)
    parts: list["Part"] = []


class Painted(Event):
    event_type: ClassVar[str] = "cn.yichuang.test.painted.v1"
    topic: ClassVar[str] = "yichuang.test.v1"
    key_field: ClassVar[str] = "thing_id"

    thing_id: str = Field(pattern="^[a-z]+$", max_length=20)
    colour: Colour
    share: float | None
    parts: tuple[Part, ...]
    tally: dict[Colour, int]
    note: str = ""


@pytest.fixture
def old() -> dict[str, Any]:
    return event_schema(Painted)


@pytest.fixture
def new(old) -> dict[str, Any]:
    return copy.deepcopy(old)


def test_the_same_schema_has_no_violations(old, new):
    assert violations(old, new) == []


class TestAdditions:
    def test_an_optional_field_is_fine(self, old, new):
        new["properties"]["size"] = {"type": "integer", "default": 0}
        assert violations(old, new) == []

    def test_a_new_enum_member_is_fine(self, old, new):
        new["$defs"]["Colour"]["enum"].append("blue")
        assert violations(old, new) == []

    def test_wider_limits_and_other_words_are_fine(self, old, new):
        new["properties"]["thing_id"]["maxLength"] = 40
        new["$defs"]["Part"]["properties"]["amount"] |= {"minimum": 0, "description": "pieces"}
        new["required"].remove("parts")
        assert violations(old, new) == []


def edited(path: str, value: Any):
    """A change of one member, by its path; None removes it."""
    *parents, last = path.split("/")

    def edit(schema: dict[str, Any]) -> None:
        for parent in parents:
            schema = schema[parent]
        if value is None:
            del schema[last]
        else:
            schema[last] = value

    return edit


THING = {"pattern": "^[a-z]+$", "maxLength": 20}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited("x-event-type", "cn.yichuang.test.painted.v2"), "event-type changed"),
        (edited("x-topic", "yichuang.other.v1"), "topic changed"),
        (edited("x-key", "colour"), "key changed"),
        (edited("properties/note", None), "$.note: field was removed"),
        (edited("$defs/Part/properties/code", None), "$.parts[].code: field was removed"),
        (edited("required", ["note"]), "$.note: field is newly required"),
        (edited("properties/thing_id", {"type": "integer"}), "$.thing_id: type string was removed"),
        (edited("properties/share", {"type": "number"}), "$.share: type null was removed"),
        (
            edited("properties/note", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
            "$.note: type null was added to an existing value",
        ),
        (edited("properties/note/default", "none"), "$.note: default was changed"),
        (edited("properties/note", {}), "$.note: type string was removed"),
        (edited("$defs/Colour/enum", ["red"]), "$.colour: value 'green' was removed"),
        (
            edited("properties/note", {"type": "string", "enum": ["a"]}),
            "$.note: any value was narrowed to an enumeration",
        ),
        (edited("properties/thing_id/maxLength", 10), "$.thing_id: maxLength was lowered"),
        (edited("properties/thing_id/minLength", 1), "$.thing_id: minLength was raised"),
        (edited("properties/thing_id/pattern", "^a$"), "$.thing_id: pattern was added or changed"),
        (
            edited("properties/note/format", "date"),
            "$.note: format was added or changed",
        ),
        (
            edited("$defs/Part/properties/amount/minimum", 2),
            "$.parts[].amount: minimum was raised",
        ),
        (
            edited("$defs/Part/additionalProperties", False),
            "$.parts[]{}: additionalProperties was narrowed",
        ),
        (
            edited("properties/tally/additionalProperties", {"type": "string"}),
            "$.tally{}: type integer was removed",
        ),
    ],
)
def test_a_seeded_violation_is_reported(old, new, change, said):
    change(new)
    assert said in violations(old, new)


def test_a_removed_key_value_is_reported_below_the_map(old, new):
    new["properties"]["tally"]["propertyNames"] = {"type": "string", "enum": ["red"]}
    assert "$.tally{key}: value 'green' was removed" in violations(old, new)
