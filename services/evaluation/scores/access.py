"""Who may see which scores: items and units are public, what is smaller or nearer is for staff.

A single window, person or village has few ratings; published tables show divisions to everybody.
"""

from typing import Any

from servicekit.auth import Caller, WrongDivision, WrongRole, WrongUnit
from servicekit.errors import Unauthenticated
from services.evaluation.access import HANDLER, STATISTICIAN, SUPERVISOR
from services.evaluation.models import SubjectKind
from services.evaluation.scores.repository import Subject

PUBLIC = frozenset({SubjectKind.item, SubjectKind.unit, SubjectKind.channel})


def ensure_may_read(caller: Caller | None, subject: Subject, row: Any | None) -> None:
    """Let supervisors and statisticians see their division, handlers their unit, all themselves.

    `row` is the subject's score, or None while nothing counts: then there is nothing to hide.

    Raises:
        Unauthenticated: only items, units and channels are public.
        WrongRole, WrongDivision, WrongUnit: it is not the caller's.
    """
    if subject.kind in PUBLIC:
        return
    caller = _staff(caller)
    if subject.kind is SubjectKind.person and subject.id == str(caller.account_id):
        return
    division = subject.id if subject.kind is SubjectKind.division else _division(row)
    if caller.has(SUPERVISOR, STATISTICIAN):
        if division is not None:
            caller.ensure_covers(division)
        return
    if subject.kind is not SubjectKind.window:
        raise WrongRole
    if caller.unit != subject.id.rpartition(":")[0]:
        raise WrongUnit


def ensure_may_rank(caller: Caller | None, kind: SubjectKind, division_code: str | None) -> None:
    """Let supervisors and statisticians rank within their division.

    Raises:
        Unauthenticated: only items, units and channels are public.
        WrongRole: neither supervisor nor statistician.
        WrongDivision: it lies outside the caller's, or none was named.
    """
    if kind in PUBLIC:
        return
    caller = _staff(caller)
    if not caller.has(SUPERVISOR, STATISTICIAN):
        raise WrongRole
    if division_code is None:
        raise WrongDivision
    caller.ensure_covers(division_code)


def _staff(caller: Caller | None) -> Caller:
    if caller is None:
        raise Unauthenticated
    if not caller.has(HANDLER, SUPERVISOR, STATISTICIAN):
        raise WrongRole
    return caller


def _division(row: Any | None) -> str | None:
    return None if row is None else row.division_code
