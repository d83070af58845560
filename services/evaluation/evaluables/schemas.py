"""Evaluable services as their resident sees them."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.values import RatingLevel
from services.evaluation.evaluables.rules import EvaluableState
from services.evaluation.models import RatingState, RectificationState


class GivenRating(BaseModel):
    """A rating already given."""

    assess_number: int = Field(description="1 首次评价，2 追评")
    level: RatingLevel
    given_on: date
    state: RatingState = Field(description="counted 计入，withdrawn 已撤回，excluded 经复核不计入")


class OpenRectification(BaseModel):
    """What is done about a bad rating."""

    id: UUID
    state: RectificationState


class EvaluableRead(BaseModel):
    """One service of one of the caller's cases."""

    id: UUID
    case_id: UUID
    case_number: str
    item_id: UUID
    item_name: str
    unit_name: str | None
    service_number: int
    service_name: str
    state: EvaluableState
    open_until: date = Field(description="最后一天可评价的日期")
    next_assess_number: int | None = Field(
        description="现在可以做的评价：1 首次评价，2 追评，空为不能评价"
    )
    code: str = Field(description="查询码：与办件编号一起，不登录也可以评价")
    ratings: list[GivenRating]
    rectification: OpenRectification | None
