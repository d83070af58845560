"""The ready staff, read from `devstack/staff.yaml`."""

import uuid
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

Role = Literal[
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
]


class Staff(BaseModel):
    """One member of staff, as the sign-on of a county would know them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str = Field(pattern=r"^[a-z][a-z0-9-]+$")
    name: str
    #: What they do, for the sign-in page.
    post: str
    roles: tuple[Role, ...] = Field(min_length=1)
    division: str = Field(pattern=r"^[0-9]{12}$")
    department: str | None = None
    unit: str | None = Field(default=None, pattern=r"^[0-9]{12}:[a-z-]+$")

    @property
    def subject(self) -> str:
        """The stable `sub` of this person."""
        return str(
            uuid.uuid5(uuid.NAMESPACE_URL, f"urn:yichuang:development-staff:{self.username}")
        )

    def claims(self) -> dict[str, Any]:
        """What the issuer says about them, beside the protocol's own claims."""
        given = {
            "sub": self.subject,
            "name": self.name,
            "preferred_username": self.username,
            "roles": list(self.roles),
            "division": self.division,
            "department": self.department,
            "unit": self.unit,
        }
        return {name: value for name, value in given.items() if value is not None}


def load_staff(path: Path) -> dict[str, Staff]:
    """Everybody in the file, by user name, in its order."""
    people = [Staff.model_validate(row) for row in yaml.safe_load(path.read_text("utf-8"))]
    return {person.username: person for person in people}
