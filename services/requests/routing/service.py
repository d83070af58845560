"""Routing for the running service: the active rules applied and explained."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from contracts.catalogue import ItemState
from services.requests.clock.rules import LOCAL
from services.requests.reference.service import Reference
from services.requests.routing.matcher import Matcher
from services.requests.routing.rules import Decision, Matter
from services.requests.triage.rules import is_village_unit, receiving_unit
from services.requests.triage.service import verdict_of


def matter_of(
    item: ItemState,
    division_code: str,
    *,
    channel: str = "",
    is_organisation: bool = False,
    at: datetime | None = None,
) -> Matter:
    """What routing looks at of an item applied for from a division; `at` is any aware time."""
    return Matter(
        item_code=item.item_code,
        department=item.department,
        level=item.level,
        item_kind=item.item_kind,
        division_code=division_code,
        category=item.supply_category,
        triage_class=item.triage_class,
        object="organisation" if is_organisation else "individual",
        channel=channel,
        at=at.astimezone(LOCAL) if at else None,
    )


def decide(
    reference: Reference,
    item: ItemState,
    division_code: str,
    *,
    channel: str = "",
    is_organisation: bool = False,
    at: datetime | None = None,
    load: Mapping[str, int] | None = None,
    matcher: Matcher | None = None,
    whole: bool = False,
) -> Decision:
    """Where a case of this item goes from this division; never to a village without admission.

    `matcher` is another rule set than the active one; `at` now when it is left out.
    """
    matter = matter_of(
        item,
        division_code,
        channel=channel,
        is_organisation=is_organisation,
        at=at or datetime.now(UTC),
    )
    load = load if load is not None else reference.load
    rules = matcher or reference.matcher
    return _triaged(reference, item, rules.route(matter, reference.units, load=load, whole=whole))


def _triaged(reference: Reference, item: ItemState, decision: Decision) -> Decision:
    """What a village may not receive goes up to its township, with the reason (P4)."""
    parallel = tuple(
        dict.fromkeys(
            unit
            for code in decision.parallel
            if (unit := _receiver(reference, item, code)[0]) is not None
        )
    )
    if decision.unit_code is None:
        return replace(decision, parallel=parallel)
    unit, reason = _receiver(reference, item, decision.unit_code)
    if reason is None:
        return replace(decision, parallel=parallel)
    passed = (decision.unit_code, reason)
    return replace(decision, unit_code=unit, skipped=(*decision.skipped, passed), parallel=parallel)


def _receiver(reference: Reference, item: ItemState, code: str) -> tuple[str | None, str | None]:
    """The unit that may have what was meant for `code`, and why it is another one."""
    if not is_village_unit(code):
        return code, None
    verdict = verdict_of(reference, item, code.partition(":")[0])
    unit = receiving_unit(code, verdict, reference.units)
    return unit, None if unit == code else verdict.reason
