"""Ratings as residents give them, and as residents and staff see them."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from contracts.values import RatingLevel
from services.evaluation.models import RatingChannel, RatingState, RevisionAction
from services.evaluation.tags.schemas import TagCode

MAX_TAGS = 8
#: Channels in which the resident is signed in; staff enter telephone and paper ratings.
OwnChannel = Literal[
    RatingChannel.portal,
    RatingChannel.mini_program,
    RatingChannel.qr_code,
    RatingChannel.window,
    RatingChannel.self_service_terminal,
    RatingChannel.sms,
]
FreeText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class RatingContent(BaseModel):
    """What a rating says, whichever way it comes in."""

    model_config = ConfigDict(extra="forbid")

    level: RatingLevel
    tags: list[TagCode] = Field(
        default_factory=list, max_length=MAX_TAGS, description="评价标签代码，只能选本等级的"
    )
    text: FreeText | None = Field(
        default=None, description="补充说明；工作人员只能看到隐去个人信息后的内容"
    )
    assess_number: Literal[1, 2] = Field(default=1, description="1 首次评价，2 追评")

    @field_validator("tags")
    @classmethod
    def _once(cls, tags: list[str]) -> list[str]:
        if len(tags) != len(set(tags)):
            raise ValueError("同一个标签选了两次")
        return tags


class RatingCreate(RatingContent):
    """A rating of one evaluable service by the resident who signed in."""

    evaluable_id: UUID
    channel: OwnChannel


class OpenedRectification(BaseModel):
    """The rectification a bad rating opened or reopened."""

    id: UUID
    due_on: date | None = Field(description="单位应反馈的最后一天；工作日历缺失时为空")


class RatingReceipt(BaseModel):
    """What a rating became. Without its text: answers are kept for repeats, in the clear."""

    id: UUID
    evaluable_id: UUID
    assess_number: int
    level: RatingLevel
    tags: list[str]
    channel: RatingChannel
    given_at: datetime
    rectification: OpenedRectification | None = None


class RatingRead(RatingReceipt):
    """A rating as the resident who gave it sees it."""

    view: Literal["own"] = "own"
    state: RatingState
    text: str | None


class RatingCorrection(BaseModel):
    """更正: what the rating shall say instead."""

    model_config = ConfigDict(extra="forbid")

    level: RatingLevel
    tags: list[TagCode] = Field(default_factory=list, max_length=MAX_TAGS)
    text: FreeText | None = None


class RatingStanding(BaseModel):
    """What a rating is after a change. Without its text: answers are kept for repeats."""

    id: UUID
    level: RatingLevel
    tags: list[str]
    state: RatingState


class RevisionRead(BaseModel):
    """One change of a rating, by day; what was written before only for who wrote it."""

    number: int
    action: RevisionAction
    state_before: RatingState
    state_after: RatingState
    level_before: RatingLevel
    level_after: RatingLevel
    text_before: str | None
    reason: str | None = Field(description="复核不计入或恢复的理由")
    actor_unit: str | None
    happened_on: date


class RevisionList(BaseModel):
    """Oldest first."""

    items: list[RevisionRead]


class ChosenTag(BaseModel):
    """A tag with its wording; the wording of retired first-version tags is not known."""

    code: str
    text: str | None


class RatingForStaff(BaseModel):
    """A rating as staff see it: not by whom, for which case or at what time of day."""

    view: Literal["staff"] = "staff"
    id: UUID
    assess_number: int
    level: RatingLevel
    state: RatingState = Field(description="counted 计入，withdrawn 已撤回，excluded 经复核不计入")
    is_default: bool = Field(description="系统默认评价，不计入满意率")
    tags: list[ChosenTag]
    text: str | None = Field(description="已隐去个人信息")
    has_hidden: bool = Field(description="说明中有内容被隐去")
    channel: RatingChannel | None
    given_on: date
    item_id: UUID
    item_name: str
    service_name: str
    unit_code: str | None
    unit_name: str | None
    rectification_id: UUID | None
