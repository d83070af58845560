"""Who may see a case, and in which capacities somebody may act on it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from servicekit.auth import Caller, WrongDivision, WrongPerson, WrongRole, WrongUnit
from services.requests.cases.rules import TRANSITIONS, Action, Actor
from services.requests.clock.rules import LOCAL
from services.requests.submissions.standing import acts_for, speaks_for
from services.requests.triage.rules import is_village_unit

READERS = frozenset({"window-clerk", "handler", "supervisor", "village-agent", "auditor"})


def ensure_may_read(case: Any, caller: Caller, opinions: Sequence[Any] = ()) -> None:
    """Residents see their own; staff what lies in their division or unit, or was asked of it.

    Raises:
        WrongPerson, WrongRole, WrongDivision.
    """
    if caller.is_resident:
        if not speaks_for(case, caller):
            raise WrongPerson
        return
    if caller.roles.isdisjoint(READERS):
        raise WrongRole
    units = {case.unit_code, *(opinion.unit_code for opinion in opinions)}
    if not caller.covers(case.division_code) and caller.unit not in units - {None}:
        raise WrongDivision


def actors_of(case: Any, caller: Caller, opinions: Sequence[Any] = ()) -> frozenset[Actor]:
    """In which capacities a caller may act on a case."""
    covers = caller.covers(case.division_code)
    is_handler = caller.has("handler", "village-agent") and caller.unit is not None
    capacities = {
        Actor.applicant: acts_for(case, caller, datetime.now(LOCAL).date()),
        Actor.window: caller.has("window-clerk") and covers,
        Actor.handler: is_handler and caller.unit == case.unit_code,
        Actor.village: caller.has("village-agent")
        and caller.unit == case.unit_code
        and is_village_unit(caller.unit or ""),
        Actor.consulted: is_handler
        and any(each.unit_code == caller.unit and each.agrees is None for each in opinions),
        Actor.assignee: not caller.is_resident and case.assignee_id == caller.account_id,
        Actor.supervisor: caller.has("supervisor") and covers,
    }
    return frozenset(actor for actor, holds in capacities.items() if holds)


def forbidden(case: Any, caller: Caller, action: Action) -> Exception:
    """Which permission is missing, as closely as can be told."""
    if caller.is_resident:
        return WrongRole() if acts_for(case, caller, datetime.now(LOCAL).date()) else WrongPerson()
    wanted = TRANSITIONS[action].actors
    by_handler = {Actor.handler, Actor.consulted}
    by_unit = {"handler": by_handler, "village-agent": by_handler | {Actor.village}}
    if any(caller.has(role) and not wanted.isdisjoint(of) for role, of in by_unit.items()):
        return WrongUnit()
    by_division = {Actor.window: "window-clerk", Actor.supervisor: "supervisor"}
    if any(
        actor in wanted and caller.has(role) and not caller.covers(case.division_code)
        for actor, role in by_division.items()
    ):
        return WrongDivision()
    return NotYours() if Actor.assignee in wanted and caller.has(*READERS) else WrongRole()


class NotYours(WrongPerson):
    code, title = "not-your-case", "这个办件不在您名下"
