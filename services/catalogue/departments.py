"""Who speaks for a department: the head of its unit, or the editor of the catalogue."""

from servicekit.auth import Caller, WrongRole
from servicekit.errors import Forbidden

SUPERVISOR = "supervisor"
EDITOR = "catalogue-editor"
SPEAKERS = (EDITOR, SUPERVISOR)


class WrongDepartment(Forbidden):
    code, title = "wrong-department", "这件事不由您所在的部门提出"


def ensure_speaks_for(caller: Caller, division: str, department: str) -> None:
    """Refuse whoever may not act for a department in a division.

    Raises:
        WrongRole, WrongDivision, WrongDepartment: as named.
    """
    if not caller.has(*SPEAKERS):
        raise WrongRole
    caller.ensure_covers(division)
    if not caller.has(EDITOR) and caller.department != department:
        raise WrongDepartment
