"""Everything intake must know, in memory: copies of items and divisions, units, rules, calendar.

Intake asks no other service and reads no table before its one statement.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import jsonschema_rs

from contracts.catalogue import BundleState, ItemPublished, ItemState
from contracts.values import division_covers, division_prefix
from servicekit.database import Database
from servicekit.refreshed import Refreshed
from services.requests.clock.calendars import Calendars
from services.requests.clock.policies import Policies
from services.requests.clock.repository import load_calendars, load_policies
from services.requests.reference import repository
from services.requests.routing.matcher import Matcher, compile_rules
from services.requests.routing.rules import Rule
from services.requests.triage.repository import list_admissions
from services.requests.triage.rules import Admission

#: How old the picture of the units' load may be.
LOAD_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Item:
    """A catalogue item as intake needs it."""

    state: ItemState
    status: str
    #: Revision and time of the state: two states with the same are the same (`keep_newest`).
    stamp: tuple[int, datetime]
    form: jsonschema_rs.Draft202012Validator

    @property
    def is_open(self) -> bool:
        return self.status == "published"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as intake needs it."""

    state: BundleState
    is_open: bool


Offered = TypeVar("Offered", Item, Bundle)


@dataclass(frozen=True, slots=True)
class Reference:
    """One consistent picture of the reference data."""

    items: Mapping[UUID, Item]
    #: Two divisions may each have an item of one code.
    items_by_code: Mapping[str, Sequence[Item]]
    bundles_by_code: Mapping[str, Sequence[Bundle]]
    #: Code → name.
    divisions: Mapping[str, str]
    #: Code → name.
    units: Mapping[str, str]
    #: The active routing rules, compiled.
    matcher: Matcher
    #: Unit → open cases; empty unless a rule asks for it.
    load: Mapping[str, int]
    calendars: Calendars
    #: Item code → what was admitted to villages.
    admissions: Mapping[str, tuple[Admission, ...]]
    policies: Policies

    def find_item(self, item_code: str, division_code: str) -> Item | None:
        """The item of a code that is meant in a division."""
        return nearest(self.items_by_code.get(item_code, ()), division_code)

    def find_bundle(self, bundle_code: str, division_code: str) -> Bundle | None:
        """The bundle of a code that is meant in a division."""
        return nearest(self.bundles_by_code.get(bundle_code, ()), division_code)


def nearest(found: Sequence[Offered], division_code: str) -> Offered | None:
    """What the division itself offers, or the nearest above it; what others offer if none does."""

    def distance(one: Offered) -> tuple[bool, int]:
        of = one.state.division_code
        return not division_covers(of, division_code), -len(division_prefix(of))

    return min(found, key=distance, default=None)


def _by_code(found: Iterable[Offered], code: Callable[[Offered], str]) -> dict[str, list[Offered]]:
    grouped: dict[str, list[Offered]] = {}
    for one in found:
        grouped.setdefault(code(one), []).append(one)
    return grouped


async def load(database: Database, kept: Mapping[UUID, Item] | None = None) -> Reference:
    """Read all reference data in one read-only transaction.

    `kept` are the items of the picture before; those that did not change are taken over, since two
    whole pictures at once would cost twice the memory whenever one item changes.
    """
    async with database.reading() as session:
        items = [_item(row, kept or {}) for row in await repository.list_items(session)]
        active = await repository.find_active_rules(session)
        matcher = compile_rules(
            [Rule.model_validate(rule) for rule in (active.rules if active else [])],
            active.version if active else 0,
        )
        return Reference(
            items={item.state.item_id: item for item in items},
            items_by_code=_by_code(items, lambda item: item.state.item_code),
            bundles_by_code=_by_code(
                map(_bundle, await repository.list_bundles(session)),
                lambda bundle: bundle.state.bundle_code,
            ),
            divisions=await repository.list_divisions(session),
            units=await repository.list_units(session),
            matcher=matcher,
            load=await repository.count_open_by_unit(session) if matcher.uses_load else {},
            calendars=await load_calendars(session),
            admissions=await list_admissions(session),
            policies=await load_policies(session),
        )


def refreshed(database: Database) -> Refreshed[Reference]:
    """The picture, renewed whenever one of the copies moved, and by time where rules ask for load."""
    uses_load = False
    kept: Mapping[UUID, Item] = {}

    async def renew() -> Reference:
        nonlocal uses_load, kept
        reference = await load(database, kept)
        kept = reference.items
        uses_load = reference.matcher.uses_load
        return reference

    async def fingerprint() -> tuple[object, ...]:
        async with database.reading() as session:
            seen = await repository.revisions(session)
        return (*seen, int(time.monotonic() / LOAD_SECONDS) if uses_load else 0)

    return Refreshed("reference", load=renew, fingerprint=fingerprint)


def _bundle(row: Any) -> Bundle:
    return Bundle(BundleState.model_validate(row.state), row.is_open)


def _item(row: Any, kept: Mapping[UUID, Item]) -> Item:
    before = kept.get(row.item_id)
    stamp = (row.revision, row.recorded_at)
    if before is not None and (before.status, before.stamp) == (row.status, stamp):
        return before
    state = ItemPublished.model_validate(row.state)
    form = jsonschema_rs.Draft202012Validator(state.form, validate_formats=True)
    return Item(state, row.status, stamp, form)
