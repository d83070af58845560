"""What an item says: the shape of its content, checked field by field."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BeforeValidator, Field

from contracts.values import (
    Channel,
    DepartmentCode,
    DivisionLevel,
    PositiveDays,
    ProjectKind,
    TimeUnit,
)
from services.catalogue.items.elements import Elements, Situation
from services.catalogue.items.texts import Alias, Key, Line, Name, Paragraph, Part, optional
from services.catalogue.vocabulary import (
    Audience,
    ItemKind,
    ResultKind,
    ServiceObject,
    SupplyCategory,
)

MAX_FORM_BYTES = 65_536


def _is_storable(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what PostgreSQL's jsonb cannot keep, or what nobody could fill in."""
    try:
        encoded = orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise ValueError("内容含有无法保存的字符或嵌套过深") from None
    if b"\\u0000" in encoded:
        raise ValueError("内容含有无法保存的字符")
    if len(encoded) > MAX_FORM_BYTES:
        raise ValueError(f"内容超过 {MAX_FORM_BYTES} 字节")
    return value


def _village_is_community(level: Any) -> Any:
    return DivisionLevel.community if level == "village" else level


JsonObject = Annotated[dict[str, Any], AfterValidator(_is_storable)]
#: Division level; the lowest is called 村级 in item lists, community in the division tree.
Level = Annotated[DivisionLevel, BeforeValidator(_village_is_community)]
#: 事项类型代码. Source: GB/T 39046-2020 A.1.
TaskType = Literal["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20"]


class ItemLimits(Part):
    """办结时限."""

    statutory_days: PositiveDays | None = None
    statutory_unit: TimeUnit | None = None
    promised_days: PositiveDays
    promised_unit: TimeUnit
    project_kind: ProjectKind
    source: Line
    provisional: bool = False


class FeeEntry(Part):
    """收费项目."""

    name: Name
    standard: Line


class Fee(Part):
    """收费."""

    charged: bool
    basis: Line | None = None
    entries: tuple[FeeEntry, ...] = ()
    online_payment: bool = False


class ItemMaterial(Part):
    """材料."""

    code: Key
    name: Name
    necessity: Literal["required", "optional", "deferrable", "waivable"]
    source: Literal["applicant", "government", "other"]
    form: Literal["paper", "electronic", "both"]
    copies: Annotated[int, Field(ge=0, le=99)]
    note: Line | None = None
    #: 情形: wanted only under one of these choices; without any, always.
    when: Annotated[tuple[Key, ...], Field(max_length=30)] = optional(())
    kind: Literal["certificate", "application-form", "other"] | None = optional()
    #: Who issues it, or where it is to be had.
    source_note: Line | None = optional()
    basis: Line | None = optional()
    #: 填报须知 and 受理标准.
    how_to_fill: Paragraph | None = optional()
    acceptance: Paragraph | None = optional()


class Result(Part):
    """办理结果."""

    kind: ResultKind
    name: Name


class Question(Part):
    """常见问题."""

    question: Line
    answer: Paragraph


class ItemContent(Part):
    """事项内容: everything a published version says."""

    name: Name
    aliases: Annotated[tuple[Alias, ...], Field(max_length=30)] = ()
    summary: Line
    provisional: bool = False
    source: Paragraph
    supply_category: SupplyCategory
    #: 为民, 便民, 安民. Source: 国办发〔2021〕56号.
    function: Literal["for-people", "convenience", "safety"]
    item_kind: ItemKind
    triage_class: Literal["government-public", "village-public", "villager-personal"]
    task_type: TaskType
    service_objects: Annotated[tuple[ServiceObject, ...], Field(min_length=1)]
    audiences: tuple[Audience, ...] = ()
    department: DepartmentCode
    level: Level
    accepts_at: Annotated[tuple[Level, ...], Field(min_length=1)]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    around_the_clock: bool
    agent_service: bool
    limits: ItemLimits
    visits: Annotated[int, Field(ge=0, le=9)]
    visit_reason: Line | None = None
    fee: Fee
    materials: Annotated[tuple[ItemMaterial, ...], Field(max_length=100)] = ()
    form: JsonObject
    ui: JsonObject = Field(default_factory=dict)
    result: Result
    questions: Annotated[tuple[Question, ...], Field(max_length=100)] = ()
    forbidden_to_villages: bool = False
    situations: Annotated[tuple[Situation, ...], Field(max_length=20)] = optional(())
    elements: Elements | None = optional()
