"""Triage for the running service: the reference data in hand, the day of the village."""

from datetime import UTC, datetime

from contracts.catalogue import ItemState
from servicekit.errors import Conflict
from services.requests.clock.rules import LOCAL
from services.requests.reference.service import Reference
from services.requests.triage import rules
from services.requests.triage.rules import Verdict


class VillageMayNotReceive(Conflict):
    code, title = "village-may-not-receive", "县级没有准入，不得派交村（社区）办理"


def verdict_of(reference: Reference, item: ItemState, division_code: str) -> Verdict:
    """What the village of a division may do with an item today; asks nobody."""
    return rules.triage(
        name=item.name,
        task_type=item.task_type,
        triage_class=item.triage_class,
        division_code=division_code,
        admissions=reference.admissions.get(item.item_code, ()),
        day=datetime.now(UTC).astimezone(LOCAL).date(),
    )


def ensure_may_receive(reference: Reference, item: ItemState | None, unit_code: str) -> None:
    """Refuse to hand a village what the county has not admitted, or what is not known just now.

    Raises:
        VillageMayNotReceive: the unit is a village's, and it may not; says why.
    """
    if not rules.is_village_unit(unit_code):
        return
    if item is None:  # the copy is being rebuilt
        raise VillageMayNotReceive
    verdict = verdict_of(reference, item, unit_code.partition(":")[0])
    if not verdict.village_may_receive:
        raise VillageMayNotReceive(verdict.reason)
