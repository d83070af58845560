"""Scores as those who may see them see them."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from contracts.values import RatingLevel
from services.evaluation.models import SubjectKind
from services.evaluation.scores.rules import Grain


class Counts(BaseModel):
    """Ratings by level, and the rates."""

    counts: dict[RatingLevel, int] = Field(description="现行评价：有追评的以追评为准")
    rated: int
    satisfaction_ratio: float | None = Field(
        description="好评率（非常满意、满意、基本满意占比），0 到 1；无评价时为空"
    )
    average_stars: float | None = Field(description="平均星级，1 到 5；无评价时为空")
    first_counts: dict[RatingLevel, int] = Field(description="首次评价，不因追评改变")
    bad_first: int = Field(description="首次评价中的差评数，整改后也不减少")
    default_count: int = Field(description="系统默认评价数，不计入以上各项")
    opened: int = Field(description="办结后请本人评价的服务数；申报、补正、缴费可以评价，但不计入")
    active_ratio: float | None = Field(description="主动评价率：办结后本人评价了的占请本人评价的")
    on_time_ratio: float | None = Field(description="按期率：在承诺日期内办结的占有承诺日期的")
    matters: int = Field(description="差评整改数")
    rectified_ratio: float | None = Field(description="差评整改率：已解决销号的占整改数")
    answered_in_time_ratio: float | None = Field(description="整改按期率：按期反馈的占已反馈的")
    called_back_ratio: float | None = Field(description="回访率：已回访的占整改数")


class ScoreRead(Counts):
    """A score over all time."""

    subject_kind: SubjectKind
    subject_id: str
    subject_name: str | None = Field(description="事项和区划的现名；其他为最近一件办件所载")
    revision: int
    changed_at: datetime | None


class RankedScore(ScoreRead):
    """A place in a ranking."""

    satisfaction_floor: float = Field(
        description="排名依据：好评率 95% 置信区间（Wilson）的下限，评价少的单位不会因此占先"
    )


class ScoreDayRead(Counts):
    """What counts on one day: ratings by the day of the first, services by that of their opening."""

    day: date


class ScoreDays(BaseModel):
    """A time series; days without anything are left out."""

    items: list[ScoreDayRead]


class ScoreSeries(BaseModel):
    """A time series by day, month or year; `day` is the first of each."""

    grain: Grain
    items: list[ScoreDayRead]


class Standing(BaseModel):
    """Where a subject stands among its peers."""

    rated_peers: int = Field(description="有评价的同类对象数，含自身")
    satisfaction_floor: float | None = Field(
        description="好评率 95% 置信区间（Wilson, 1927）的下限；无评价时为空"
    )
    percentile: float | None = Field(
        description="胜过的同类对象占比，0 到 1，相同的计一半；没有可比对象时为空"
    )
