"""Which records of ratings a staff member may see: their unit's, or their division's."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from contracts.values import division_prefix
from servicekit.auth import Caller, WrongDivision, WrongRole, WrongUnit, require

HANDLER = "handler"
SUPERVISOR = "supervisor"
WINDOW_CLERK = "window-clerk"
VILLAGE_AGENT = "village-agent"
#: Who plans and reads surveys, needs and assessments beside supervisors.
STATISTICIAN = "statistician"
#: Who works with ratings and rectifications.
Staff = Annotated[Caller, Depends(require(HANDLER, SUPERVISOR))]


@dataclass(frozen=True, slots=True)
class Scope:
    """A filter on `unit_code` or on `responsible_division`."""

    unit_code: str | None = None
    division_prefix: str | None = None


def scope_of(caller: Caller) -> Scope:
    """What a list shows a staff member: supervisors their division, handlers their unit.

    Raises:
        WrongDivision: a supervisor without a division.
        WrongUnit: a handler without a unit.
    """
    if caller.has(SUPERVISOR):
        if caller.division is None:
            raise WrongDivision
        return Scope(division_prefix=division_prefix(caller.division))
    if caller.unit is None:
        raise WrongUnit
    return Scope(unit_code=caller.unit)


def handles(caller: Caller, unit_code: str | None) -> bool:
    """Whether the caller is a handler of that unit (谁办理、谁负责)."""
    return caller.has(HANDLER) and unit_code is not None and caller.unit == unit_code


def supervises(caller: Caller, responsible_division: str) -> bool:
    """Whether the caller supervises that division."""
    return caller.has(SUPERVISOR) and caller.covers(responsible_division)


def ensure_may_see(caller: Caller, unit_code: str | None, responsible_division: str) -> None:
    """Refuse staff of other units and divisions.

    Raises:
        WrongRole: neither handler nor supervisor.
        WrongDivision: a supervisor of another division.
        WrongUnit: a handler of another unit.
    """
    if handles(caller, unit_code) or supervises(caller, responsible_division):
        return
    if caller.has(SUPERVISOR):
        raise WrongDivision
    if caller.has(HANDLER):
        raise WrongUnit
    raise WrongRole
