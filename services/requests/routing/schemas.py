"""Routing as the API shows it."""

from pydantic import BaseModel

from contracts.values import DivisionCode, ItemCode


class ExplainRequest(BaseModel):
    """A hypothetical case."""

    item_code: ItemCode
    division_code: DivisionCode


class SkippedRule(BaseModel):
    rule: str
    because: str


class Explanation(BaseModel):
    """Which rule fires, and why the ones before it did not."""

    rule_set_version: int
    rule: str | None
    unit: str | None
    unit_name: str | None
    skipped: list[SkippedRule]


class UnitRead(BaseModel):
    code: str
    name: str
    division_code: str
    department: str
    provisional: bool
