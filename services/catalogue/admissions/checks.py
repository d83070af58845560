"""Who may take a step of admission, and whether what is proposed may be proposed at all."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, division_level
from servicekit.auth import Caller, WrongRole
from services.catalogue.admissions import repository, rules
from services.catalogue.admissions.content import AdmissionContent
from services.catalogue.admissions.errors import AdmissionRefused, ForbiddenKind
from services.catalogue.admissions.rules import Action, Hand, Step
from services.catalogue.departments import EDITOR, SPEAKERS, SUPERVISOR, ensure_speaks_for
from services.catalogue.divisions import division_chain
from services.catalogue.items.violation import Violation
from services.catalogue.models import AdmissionKind

ADMITTER = "county-admitter"
TOWNSHIP = "township-officer"
READERS = (EDITOR, "catalogue-approver", ADMITTER, TOWNSHIP, SUPERVISOR, "auditor", "operator")


def ensure_hand(caller: Caller, row: Any, action: Action) -> None:
    """Who may take the step, before whether there is one: a stranger learns nothing of states."""
    hand = rules.hand_of(action)
    if hand is Hand.department:
        ensure_department(caller, row.division_code, row.department)
    elif hand is Hand.clock or not caller.has(ADMITTER):
        raise WrongRole


def ensure_department(caller: Caller, county: str, department: str) -> None:
    """Refuse whoever may not propose for a department of a county."""
    if caller.has(*SPEAKERS):
        ensure_county(county)
    ensure_speaks_for(caller, county, department)


def ensure_county(code: str) -> None:
    if division_level(code) is not DivisionLevel.county:
        raise AdmissionRefused(
            errors=[
                Violation(
                    "/division_code", "not-a-county", "准入由县级审批", "填写县级区划"
                ).as_error()
            ]
        )


async def ensure_valid(
    session: AsyncSession,
    kind: AdmissionKind,
    county: str,
    item_id: UUID | None,
    content: AdmissionContent,
) -> None:
    found = rules.violations(kind, content)
    found += await _item_violations(session, kind, county, item_id, content)
    if any(each.rule == "forbidden-kind" for each in found):
        raise ForbiddenKind(rules.FORBIDDEN_SENTENCE, errors=[each.as_error() for each in found])
    refuse(found)


async def _item_violations(
    session: AsyncSession,
    kind: AdmissionKind,
    county: str,
    item_id: UUID | None,
    content: AdmissionContent,
) -> list[Violation]:
    path = "/item_id"
    if (kind is AdmissionKind.item) != (item_id is not None):
        return [Violation(path, "item-of-kind", "只有工作事项对应目录里的事项", "补上或者删去事项")]
    if item_id is None:
        return []
    item = await repository.find_item(session, item_id)
    if item is None:
        return [Violation(path, "item-not-public", "没有这个已公布的事项", "先公布事项再申请")]
    found = []
    if item.division_code not in division_chain(county):
        found.append(Violation(path, "item-elsewhere", "事项不在本县办理", "选本县的事项"))
    if item.department != content.department:
        found.append(
            Violation("/department", "other-department", "事项由另一个部门主管", "更正部门")
        )
    if item.forbidden:
        found.append(Violation(path, "forbidden-kind", rules.FORBIDDEN_SENTENCE, "由部门自己承担"))
    return found


def ensure_given(step: Step, given: dict[str, Any]) -> None:
    refuse(
        [
            Violation(f"/{name}", "field-missing", "这一步要填写这一项", "补上")
            for name in rules.missing_fields(step, given.keys())
        ]
    )


def refuse(found: list[Violation]) -> None:
    if found:
        raise AdmissionRefused(errors=[violation.as_error() for violation in found])
