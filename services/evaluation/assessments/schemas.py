"""Schemes as they are defined, cards and proposals as they are read."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.values import DivisionCode
from services.evaluation.models import AssessedKind, ProposalKind, ProposalState

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Measure(StrEnum):
    """What of the scores of a month may be counted."""

    satisfaction_ratio = "satisfaction-ratio"  # 好评率
    satisfaction_floor = "satisfaction-floor"  # 好评率置信下限
    active_ratio = "active-ratio"  # 主动评价率
    on_time_ratio = "on-time-ratio"  # 按期办结率
    completed = "completed"  # 办结数
    rectified_ratio = "rectified-ratio"  # 差评整改率
    answered_in_time_ratio = "answered-in-time-ratio"  # 整改按期率
    called_back_ratio = "called-back-ratio"  # 回访率


class SurveyMeasure(StrEnum):
    """What of the newest survey of a village may be counted."""

    satisfaction = "survey-satisfaction"  # 满意率, 带置信区间
    satisfaction_floor = "survey-satisfaction-floor"  # 满意率置信下限
    response = "survey-response"  # 应答率


class Indicator(BaseModel):
    """One thing that is counted. There is no source that staff fill in: nothing can be uploaded."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    title: Text
    counts: Text = Field(description="计什么数；不得计截图、视频、表格等留痕材料")
    source: Literal["scores", "facilities", "surveys"]
    measure: Measure | SurveyMeasure | None = Field(
        default=None, description="source 为 scores 或 surveys 时"
    )
    indicator_code: Code | None = Field(default=None, description="source 为 facilities 时")
    weight: float = Field(gt=0, le=100)
    zero: float = Field(description="得 0 分的值")
    full: float = Field(description="得满分的值；可以比得 0 分的值小")
    minimum: int = Field(
        default=5, ge=0, le=10_000, description="分母不足此数时视为不知，不参与比较"
    )

    @model_validator(mode="after")
    def _fits_its_source(self) -> "Indicator":
        if isinstance(self.measure, Measure) != (self.source == "scores"):
            raise ValueError("来自评分的指标应写明评分的 measure")
        if isinstance(self.measure, SurveyMeasure) != (self.source == "surveys"):
            raise ValueError("来自满意度调查的指标应写明调查的 measure")
        if (self.indicator_code is None) != (self.source != "facilities"):
            raise ValueError("来自设施的指标应写明 indicator_code")
        if self.zero == self.full:
            raise ValueError("得 0 分和得满分的值不能相同")
        return self


class SchemeCreate(BaseModel):
    """考核办法: a new one, or the next version of the one with this code."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    division_code: DivisionCode
    title: Text
    assessed: AssessedKind
    indicators: list[Indicator] = Field(min_length=1, max_length=40)
    months_last: int = Field(default=2, ge=2, le=12, description="连续几个月末位则建议约谈")
    incentive_places: int = Field(default=3, ge=0, le=100, description="前几名建议激励")
    valid_from: date = Field(description="从这个月起适用")

    @model_validator(mode="after")
    def _fits_who_is_assessed(self) -> "SchemeCreate":
        codes = [indicator.code for indicator in self.indicators]
        if len(codes) != len(set(codes)):
            raise ValueError("指标代码重复")
        if self.assessed is AssessedKind.unit and any(
            indicator.source != "scores" for indicator in self.indicators
        ):
            raise ValueError("设施指标和调查结果属于区划，不能用来考核单位")
        return self


class SchemeRead(BaseModel):
    """A version of a scheme."""

    id: UUID
    code: str
    version: int
    division_code: str
    title: str
    assessed: AssessedKind
    indicators: list[Indicator]
    months_last: int
    incentive_places: int
    valid_from: date
    created_at: datetime


class PartRead(BaseModel):
    """What one indicator brought."""

    code: str
    value: float | None = Field(description="空为不知，不计分也不扣分")
    low: float | None = Field(default=None, description="抽样估计的 95% 置信区间下限")
    high: float | None = Field(default=None, description="抽样估计的 95% 置信区间上限")
    points: float | None
    weight: float


class CardRead(BaseModel):
    """成绩单."""

    month: date
    subject_id: str
    subject_name: str | None
    points: float | None = Field(description="0 到 100；可比的指标不足一半时为空")
    place: int | None
    is_last: bool
    parts: list[PartRead]
    scheme_id: UUID
    made_at: datetime


class Made(BaseModel):
    """What a month's assessment came to."""

    month: date
    cards: int
    ranked: int
    proposals: int


class ProposalRead(BaseModel):
    """约谈 or an incentive."""

    id: UUID
    code: str
    division_code: str
    month: date
    subject_id: str
    subject_name: str | None
    kind: ProposalKind
    state: ProposalState
    version: int
    reason: str | None
    decided_at: datetime | None


class Decision(BaseModel):
    """What becomes of a proposal."""

    model_config = ConfigDict(extra="forbid")

    state: Literal[ProposalState.confirmed, ProposalState.dismissed]
    reason: Text
