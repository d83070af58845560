"""Scores as everybody may see them."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from contracts.values import RatingLevel
from services.evaluation.models import SubjectKind


class Counts(BaseModel):
    """Ratings by level."""

    counts: dict[RatingLevel, int] = Field(description="现行评价：有追评的以追评为准")
    rated: int
    satisfaction_ratio: float | None = Field(
        description="好评率（非常满意、满意、基本满意占比），0 到 1；无评价时为空"
    )
    average_stars: float | None = Field(description="平均星级，1 到 5；无评价时为空")
    first_counts: dict[RatingLevel, int] = Field(description="首次评价，不因追评改变")
    bad_first: int = Field(description="首次评价中的差评数，整改后也不减少")
    default_count: int = Field(description="系统默认评价数，不计入以上各项")


class ScoreRead(Counts):
    """The score of an item or a unit over all time."""

    subject_kind: SubjectKind
    subject_id: str
    subject_name: str | None
    revision: int
    changed_at: datetime | None


class RankedScore(ScoreRead):
    """A place in a ranking."""

    satisfaction_floor: float = Field(
        description="排名依据：好评率 95% 置信区间（Wilson）的下限，评价少的单位不会因此占先"
    )


class ScoreDayRead(Counts):
    """What counts for services first rated on one day."""

    day: date


class ScoreDays(BaseModel):
    """A time series; days without ratings are left out."""

    items: list[ScoreDayRead]


class Recount(BaseModel):
    """What a recount put right."""

    differing: list[str] = Field(description="已更正的对象，如 unit:140802000000:civil-affairs")
