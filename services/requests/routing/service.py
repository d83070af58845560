"""Routing for the running service: the active rules applied, explained, and replaced."""

from contracts.catalogue import ItemState
from services.requests.reference.service import Reference
from services.requests.routing.rules import Decision, Matter, route


def decide(reference: Reference, item: ItemState, division_code: str) -> Decision:
    """Where a case of this item goes from this division."""
    matter = Matter(
        item_code=item.item_code,
        department=item.department,
        level=item.level,
        item_kind=item.item_kind,
        division_code=division_code,
    )
    return route(reference.rules, reference.rule_set_version, matter, reference.units)
