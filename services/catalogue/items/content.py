"""What an item says: the shape of its content, checked field by field."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import StringConstraints as Constraints

from contracts.values import (
    Channel,
    DepartmentCode,
    DivisionLevel,
    PositiveDays,
    ProjectKind,
    TimeUnit,
)
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


def _text(longest: int, *, pattern: str = r"^[^\x00-\x1f]*$") -> Any:
    return Constraints(strip_whitespace=True, min_length=1, max_length=longest, pattern=pattern)


Name = Annotated[str, _text(200)]
Alias = Annotated[str, _text(40)]
Line = Annotated[str, _text(300)]
Paragraph = Annotated[str, _text(2000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]
JsonObject = Annotated[dict[str, Any], AfterValidator(_is_storable)]
#: Division level; the lowest is called 村级 in item lists, community in the division tree.
Level = Annotated[DivisionLevel, BeforeValidator(_village_is_community)]
#: 事项类型代码. Source: GB/T 39046-2020 A.1.
TaskType = Literal["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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

    code: Annotated[str, Constraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    name: Name
    necessity: Literal["required", "optional", "deferrable", "waivable"]
    source: Literal["applicant", "government", "other"]
    form: Literal["paper", "electronic", "both"]
    copies: Annotated[int, Field(ge=0, le=99)]
    note: Line | None = None


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
