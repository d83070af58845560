"""Events of evaluation: what may be rated, ratings, rectifications, and the state of scores."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Event
from contracts.topics import EVALUATION, SCORES, SURVEYS
from contracts.values import DivisionCode, RatingLevel


class CaseRatingEvent(Event):
    """Base of facts about the rating of one case: keyed by case."""

    topic: ClassVar[str] = EVALUATION
    key_field: ClassVar[str] = "case_id"

    case_id: UUID
    case_number: str
    applicant_id: UUID
    item_id: UUID
    item_name: str
    unit_code: str | None
    division_code: DivisionCode
    occurred_at: datetime


class EvaluationOpened(CaseRatingEvent):
    """评价邀请: a service of the case may be rated now."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.evaluation-opened.v1"

    evaluable_id: UUID
    service_number: int
    service_name: str
    open_until: date
    #: False: it may be rated, but the resident is not asked to by a message of its own.
    invites: bool = True


class RatingGiven(CaseRatingEvent):
    """评价 or 追评: without who and without free text."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rating-given.v1"

    rating_id: UUID
    evaluable_id: UUID
    #: 1 first rating, 2 追评, as assessNumber of the national interface.
    assess_number: int
    level: RatingLevel
    tags: tuple[str, ...]
    #: 服务次数 and 评价渠道 by name, as platforms above ask for them.
    service_number: int | None = None
    channel: str | None = None


class RatingChangedEvent(CaseRatingEvent):
    """Base of what becomes of a rating after it was given."""

    rating_id: UUID
    evaluable_id: UUID
    assess_number: int
    #: The level it has now.
    level: RatingLevel


class RatingCorrected(RatingChangedEvent):
    """更正: who gave the rating changed it before anybody acted on it."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rating-corrected.v1"

    level_before: RatingLevel
    tags: tuple[str, ...]


class RatingWithdrawn(RatingChangedEvent):
    """撤回: who gave the rating took it back; it counts in nothing."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rating-withdrawn.v1"


class RatingExcluded(RatingChangedEvent):
    """不计入: a review found the rating mistaken or false; it counts in nothing."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rating-excluded.v1"

    ground: Literal["mistaken", "malicious", "integrity"]


class RatingRestored(RatingChangedEvent):
    """恢复计入: an exclusion was reversed; the rating counts again."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rating-restored.v1"


class RectificationOpened(CaseRatingEvent):
    """差评整改: opened by a bad rating, assigned to who handled the case."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rectification-opened.v1"

    rectification_id: UUID
    rating_id: UUID
    due_on: date | None


class RectificationReplied(CaseRatingEvent):
    """反馈: the resident is told what was done, and may rate again."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rectification-replied.v1"

    rectification_id: UUID
    reply: str


class RectificationReopened(CaseRatingEvent):
    """重新整改: the resident says it is not solved, on the telephone or by a second bad rating."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rectification-reopened.v1"

    rectification_id: UUID
    reason: Literal["call-back", "rating"]
    due_on: date | None


class RectificationClosed(CaseRatingEvent):
    """销号: called back and closed."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rectification-closed.v1"

    rectification_id: UUID
    solved: bool
    #: How it ended; None from before this was told.
    outcome: Literal["solved", "unreached", "withdrawn", "excluded"] | None = None


class RectificationExtended(CaseRatingEvent):
    """延期: the limit was extended, with a reason on record."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rectification-extended.v1"

    rectification_id: UUID
    due_on: date


class RectificationEscalated(CaseRatingEvent):
    """督办: the limit of the reply or of the call-back passed."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.rectification-escalated.v1"

    rectification_id: UUID
    late: Literal["reply", "call-back"]
    due_on: date


class CaseReopenRequested(CaseRatingEvent):
    """要求重办: a resident says that the matter of a completed case is not solved."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.case-reopen-requested.v1"

    rectification_id: UUID
    reason: Literal["call-back", "rating"]


class UnmetNeed(BaseModel):
    """One thing that was asked for in a division and is not offered there."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: The words residents used, or the name of the item refused.
    topic: str
    #: The village or community, or a higher division when no village was named.
    division_code: DivisionCode
    searches: int = Field(ge=0)
    wishes: int = Field(ge=0)
    refusals: int = Field(ge=0)
    #: What it asks for: a service to be offered, or a place to be there. None: nobody has said.
    kind: Literal["service", "facility"] | None = None


class UnmetNeedsListed(Event):
    """未满足需求清单: what a county's residents asked for in a month and did not find."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.unmet-needs-listed.v1"
    topic: ClassVar[str] = EVALUATION
    key_field: ClassVar[str] = "division_code"

    list_id: UUID
    #: The county.
    division_code: DivisionCode
    #: First day of the month that was counted.
    month: date
    #: Most asked for first.
    needs: tuple[UnmetNeed, ...]
    occurred_at: datetime


class ScoreChanged(Event):
    """The full state of one subject's score over all time; `revision` grows with every change."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.score-changed.v1"
    topic: ClassVar[str] = SCORES
    key_field: ClassVar[str] = "subject_key"

    #: `item:<item id>` or `unit:<unit code>`.
    subject_key: str
    subject_kind: Literal["item", "unit"]
    subject_id: str
    revision: int
    #: Ratings that count now, by level name.
    counts: dict[RatingLevel, int]
    rated: int
    #: (非常满意 + 满意 + 基本满意) ÷ all, in [0, 1]; None without ratings.
    satisfaction_ratio: float | None
    #: Mean stars in [1, 5]; None without ratings.
    average_stars: float | None
    #: First ratings as they were given, so that a 差评 made good stays in the statistics.
    first_counts: dict[RatingLevel, int] = Field(default_factory=dict)
    #: Ratings by default after silence; in no other count and in no rate.
    default_count: int = 0
    recorded_at: datetime


class CommunitySurveyed(Event):
    """调查覆盖: how far one village or community has been asked in one year, with its full state."""

    event_type: ClassVar[str] = "cn.yichuang.evaluation.community-surveyed.v1"
    topic: ClassVar[str] = SURVEYS
    key_field: ClassVar[str] = "survey_key"

    #: `survey:<division code>:<year>`.
    survey_key: str
    division_code: DivisionCode
    #: The year the surveys are of.
    year: int = Field(ge=1949, le=2200)
    #: The year's surveys that have the community in their plan, whether households were drawn or not.
    survey_ids: tuple[UUID, ...]
    #: Households, over all of these surveys; the rest of those drawn are still to be asked.
    sampled: int = Field(ge=0)
    answered: int = Field(ge=0)
    refused: int = Field(ge=0)
    unreached: int = Field(ge=0)
    #: 已覆盖: at least one household has answered.
    is_covered: bool
    #: Grows with every change: a reader keeps the highest.
    revision: int = Field(ge=1)
    recorded_at: datetime
