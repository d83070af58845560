"""What the identity provider says of a member of staff, and what we take from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.values import DepartmentCode, DivisionCode, UnitCode

#: Roles a provider may give. Everything else in its list is dropped: it knows other systems too.
STAFF_ROLES = frozenset(
    {
        "window-clerk",
        "handler",
        "supervisor",
        "village-agent",
        "catalogue-editor",
        "catalogue-approver",
        "county-admitter",
        "township-officer",
        "facility-manager",
        "statistician",
        "auditor",
        "operator",
    }
)
MAX_NAME_LENGTH = 64
_DIVISION: TypeAdapter[str] = TypeAdapter(DivisionCode)
_DEPARTMENT: TypeAdapter[str] = TypeAdapter(DepartmentCode)
_UNIT: TypeAdapter[str] = TypeAdapter(UnitCode)


class ClaimsUnusable(Exception):
    """The claims do not make a member of staff; the message says why, for the administrator."""


@dataclass(frozen=True, slots=True)
class StaffClaims:
    """A proven member of staff."""

    subject: str
    name: str | None
    grants: dict[str, Any]


def read_claims(claims: Mapping[str, Any]) -> StaffClaims:
    """Map an ID token's claims to what our access tokens carry.

    Raises:
        ClaimsUnusable: no known role, no division, or a malformed code.
    """
    roles = claims.get("roles")
    known = sorted(STAFF_ROLES.intersection(map(str, roles))) if isinstance(roles, list) else []
    if not known:
        raise ClaimsUnusable("没有本系统的角色")
    name = claims.get("name") or claims.get("preferred_username")
    name = name.strip()[:MAX_NAME_LENGTH] if isinstance(name, str) else None
    grants = {
        "roles": known,
        "division": _code(claims, "division", _DIVISION),
        "department": _code(claims, "department", _DEPARTMENT),
        "unit": _code(claims, "unit", _UNIT),
        "name": name or None,
    }
    if grants["division"] is None:
        raise ClaimsUnusable("没有写明所在区划")
    return StaffClaims(
        str(claims["sub"]), name or None, {key: value for key, value in grants.items() if value}
    )


def _code(claims: Mapping[str, Any], name: str, adapter: TypeAdapter[str]) -> str | None:
    value = claims.get(name)
    if value is None or value == "":
        return None
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        raise ClaimsUnusable(f"{name} 格式不正确") from None
