"""National elements of an implementation list (实施清单要素) beside what residents ask first.

All may be missing: a village's own matter has none of them. Source: exchange tables of the national
platform (`up_task_general_basic` and `_extend`), GB/T 39046-2020 table 4.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.catalogue.items.texts import (
    Address,
    Key,
    Line,
    Name,
    Paragraph,
    Part,
    Telephone,
    optional,
)

#: As it was written; which scheme it is of, and whether its parts agree, are rules.
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9-]{6,64}$")]


class Tier(StrEnum):
    """实施清单 entry, or 业务办理项: the smallest thing that is handled by itself."""

    implementation = "implementation"
    handling = "handling"


class Codes(Part):
    """事项编码: of the unified entry, of this body's item, and of the part handled by itself."""

    basic: Code | None = optional()
    implementation: Code | None = optional()
    handling: Code | None = optional()
    local_basic: Line | None = optional()
    local_implementation: Line | None = optional()


class Body(Part):
    """实施主体. `uscc` is kept as it was written; a rule checks it."""

    name: Name
    uscc: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,18}$")] | None = optional()
    kind: Literal["statutory", "authorised", "entrusted", "other"] | None = optional()
    entrusted_by: Name | None = optional()
    joint_bodies: Line | None = optional()
    guided_by: Line | None = optional()


class Step(Part):
    """办理流程 in order."""

    name: Name
    explanation: Paragraph | None = optional()


class Online(Part):
    """网上办理."""

    depth: Annotated[
        tuple[
            Literal["consult", "collect", "pre-review", "accept", "handle", "feedback", "other"],
            ...,
        ],
        Field(max_length=7),
    ] = optional(())
    address: Address | None = optional()
    mobile_address: Address | None = optional()
    single_sign_on: bool = False
    app_single_sign_on: bool = False
    #: Ⅳ级: from application to result without coming.
    entirely: bool = False


class Booking(Part):
    """预约办理."""

    per_day: Annotated[int, Field(ge=1, le=100_000)] | None = optional()
    rule: Line | None = optional()


class Place(Part):
    """办理地点."""

    name: Name | None = optional()
    address: Line
    hours: Line
    directions: Line | None = optional()


class Choice(Part):
    """One answer to a question of a situation."""

    key: Key
    name: Name


class Situation(Part):
    """情形: a question whose answer decides which materials are wanted."""

    key: Key
    question: Line
    several: bool = False
    choices: Annotated[tuple[Choice, ...], Field(min_length=2, max_length=30)]


class Elements(Part):
    """实施清单要素."""

    codes: Codes = Codes()
    basis: Paragraph | None = optional()
    power_source: (
        Literal[
            "own-level", "delegated-from-above", "authorised-from-above", "authorised-by-peer",
            "entrusted-from-above", "entrusted-by-peer",
        ]
        | None
    ) = optional()  # fmt: skip
    body: Body | None = optional()
    #: 审查类型. Source: rules of audits of implementation lists (温州).
    examination: Literal["on-the-spot", "accept-then-approve"] | None = optional()
    special_procedures: tuple[Literal["extension", "other"], ...] = optional(())
    special_procedure_note: Line | None = optional()
    handling_forms: tuple[Literal["window", "computer", "mobile", "express", "other"], ...] = (
        optional(())
    )
    handling_area: (
        Literal["country", "province", "city", "county", "township", "community"] | None
    ) = optional()
    accept_conditions: Paragraph | None = optional()
    steps: Annotated[tuple[Step, ...], Field(max_length=30)] = optional(())
    quota: Line | None = optional()
    statutory_note: Line | None = optional()
    promised_note: Line | None = optional()
    online: Online | None = optional()
    booking: Booking | None = optional()
    takes_mail: bool | None = optional()
    sends_result: bool | None = optional()
    places: Annotated[tuple[Place, ...], Field(max_length=50)] = optional(())
    consult_telephones: Annotated[tuple[Telephone, ...], Field(max_length=10)] = optional(())
    complaint_telephones: Annotated[tuple[Telephone, ...], Field(max_length=10)] = optional(())
    person_topics: Annotated[tuple[Line, ...], Field(max_length=30)] = optional(())
    legal_person_topics: Annotated[tuple[Line, ...], Field(max_length=30)] = optional(())
    result_sample: Line | None = optional()
    intermediary_service: Line | None = optional()
    rights: Paragraph | None = optional()
    duties: Paragraph | None = optional()
    reconsideration: Paragraph | None = optional()
    litigation: Paragraph | None = optional()

    @property
    def tier(self) -> Tier:
        """A handling code makes it the smallest unit; without one the item is its own."""
        return Tier.handling if self.codes.handling else Tier.implementation
