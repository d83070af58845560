"""Everything intake must know, in memory: copies of items and divisions, units, rules, calendar.

Intake asks no other service and reads no table before its one statement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jsonschema_rs

from contracts.catalogue import ItemPublished, ItemState
from servicekit.database import Database
from servicekit.refreshed import Refreshed
from services.requests.clock.calendars import Calendars
from services.requests.clock.policies import Policies
from services.requests.clock.repository import load_calendars, load_policies
from services.requests.reference import repository
from services.requests.routing.rules import Rule
from services.requests.triage.repository import list_admissions
from services.requests.triage.rules import Admission


@dataclass(frozen=True, slots=True)
class Item:
    """A catalogue item as intake needs it."""

    state: ItemState
    status: str
    form: jsonschema_rs.Draft202012Validator

    @property
    def is_open(self) -> bool:
        return self.status == "published"


@dataclass(frozen=True, slots=True)
class Reference:
    """One consistent picture of the reference data."""

    items: Mapping[UUID, Item]
    items_by_code: Mapping[str, Item]
    #: Code → name.
    divisions: Mapping[str, str]
    #: Code → name.
    units: Mapping[str, str]
    rules: tuple[Rule, ...]
    rule_set_version: int
    calendars: Calendars
    #: Item code → what was admitted to villages.
    admissions: Mapping[str, tuple[Admission, ...]]
    policies: Policies


async def load(database: Database) -> Reference:
    """Read all reference data in one read-only transaction."""
    async with database.reading() as session:
        items = [_item(row) for row in await repository.list_items(session)]
        active = await repository.find_active_rules(session)
        rules = sorted(
            (Rule.model_validate(rule) for rule in (active.rules if active else [])),
            key=lambda rule: rule.priority,
        )
        return Reference(
            items={item.state.item_id: item for item in items},
            items_by_code={item.state.item_code: item for item in items},
            divisions=await repository.list_divisions(session),
            units=await repository.list_units(session),
            rules=tuple(rules),
            rule_set_version=active.version if active else 0,
            calendars=await load_calendars(session),
            admissions=await list_admissions(session),
            policies=await load_policies(session),
        )


def refreshed(database: Database) -> Refreshed[Reference]:
    """The picture, renewed whenever one of the copies moved."""

    async def fingerprint() -> tuple[tuple[str, int], ...]:
        async with database.reading() as session:
            return await repository.revisions(session)

    return Refreshed("reference", load=lambda: load(database), fingerprint=fingerprint)


def _item(row: Any) -> Item:
    state = ItemPublished.model_validate(row.state)
    return Item(
        state, row.status, jsonschema_rs.Draft202012Validator(state.form, validate_formats=True)
    )
