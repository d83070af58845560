"""Scores: roll-ups that change with what they count, equal to a recount at any moment.

What counts, of every service that was open to rating:

- `current_*`: one rating, the 追评 where there is one, else the first;
- `first_*`: the first ratings as they were given, so that a 差评 made good stays in the statistics;
- `default_count`: ratings the system gave after silence; in neither of the above nor in any rate;
- `opened`, `opened_rated`: finished cases, which residents are asked to rate, and those rated;
- `promised`, `kept`: whether a promised date is known for it, and was kept;
- `matters…`: the 差评整改 of a bad rating: solved, answered, answered in time, called back.

Ratings count on the day of the first one, the service on the day it was opened, a matter on the day
it was opened: so each rate has the same services above and below its line, and days sum up.
Withdrawn and excluded ratings count nowhere; their service still counts as opened.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, Computed, Double, Index, Integer
from sqlmodel import Field, SQLModel

from contracts.values import RatingLevel
from services.evaluation.models.base import Base, flag, number, one_of, timestamp


class SubjectKind(StrEnum):
    """What a score is of."""

    item = "item"
    unit = "unit"
    window = "window"
    person = "person"
    facility = "facility"
    division = "division"
    channel = "channel"


class ScoreCounts(SQLModel):
    """Columns all roll-ups have."""

    current_very_satisfied: int = number()
    current_satisfied: int = number()
    current_fairly_satisfied: int = number()
    current_dissatisfied: int = number()
    current_very_dissatisfied: int = number()
    first_very_satisfied: int = number()
    first_satisfied: int = number()
    first_fairly_satisfied: int = number()
    first_dissatisfied: int = number()
    first_very_dissatisfied: int = number()
    default_count: int = number()
    opened: int = number()
    opened_rated: int = number()
    promised: int = number()
    kept: int = number()
    matters: int = number()
    matters_solved: int = number()
    matters_answered: int = number()
    matters_in_time: int = number()
    matters_called_back: int = number()


_GOOD = "current_very_satisfied + current_satisfied + current_fairly_satisfied"
_RATED = f"{_GOOD} + current_dissatisfied + current_very_dissatisfied"
#: Square of the z of a two-sided 95 % interval.
_ZZ = 3.841459
_WILSON_FLOOR = (
    f"(2 * ({_GOOD}) + {_ZZ} - sqrt({_ZZ} * ({_ZZ} + 4.0 * ({_GOOD})"
    f" * (current_dissatisfied + current_very_dissatisfied) / nullif({_RATED}, 0))))"
    f" / (2 * ({_RATED} + {_ZZ}))"
)


def _rated() -> int | None:
    column = Column(Integer, Computed(_RATED, persisted=True), nullable=False)
    rated: int | None = Field(default=None, sa_column=column)
    return rated


def _floor() -> float | None:
    column = Column(Double, Computed(_WILSON_FLOOR, persisted=True))
    floor: float | None = Field(default=None, sa_column=column)
    return floor


class Score(ScoreCounts, Base, table=True):
    """All-time score of one subject; `revision` grows with every change."""

    __tablename__ = "score"
    __table_args__ = (
        one_of("subject_kind", SubjectKind),
        Index("ix_score_ranking", "subject_kind", "satisfaction_floor", "subject_id"),
    )

    subject_kind: str = Field(primary_key=True)
    #: Item id, unit code, `<unit code>:<window>`, account id, facility id, division code, channel.
    subject_id: str = Field(primary_key=True)
    subject_name: str | None = None
    #: A division itself; the unit's division for units, windows, people and facilities.
    division_code: str | None = None
    revision: int = Field(default=0, sa_type=BigInteger)
    changed_at: datetime = timestamp()
    rated: int | None = _rated()
    #: Lower bound of the 95 % Wilson interval of 好评率: one good rating outranks nobody.
    satisfaction_floor: float | None = _floor()


class ScoreDay(ScoreCounts, Base, table=True):
    """The same counts by day."""

    __tablename__ = "score_day"
    __table_args__ = (
        one_of("subject_kind", SubjectKind),
        # For the recount alone, and rows come in the order of their days: small, and never in the
        # way of an update.
        Index(
            "ix_score_day_day",
            "day",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32},
        ),
    )

    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)


class ScoreMonth(ScoreCounts, Base, table=True):
    """The same counts by month; `day` is its first."""

    __tablename__ = "score_month"
    __table_args__ = (
        one_of("subject_kind", SubjectKind),
        Index("ix_score_month_ranking", "day", "subject_kind", "satisfaction_floor", "subject_id"),
    )

    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    rated: int | None = _rated()
    satisfaction_floor: float | None = _floor()


class ScoreYear(ScoreCounts, Base, table=True):
    """The same counts by year; `day` is its first."""

    __tablename__ = "score_year"
    __table_args__ = (
        one_of("subject_kind", SubjectKind),
        Index("ix_score_year_ranking", "day", "subject_kind", "satisfaction_floor", "subject_id"),
    )

    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    rated: int | None = _rated()
    satisfaction_floor: float | None = _floor()


class ScoreFact(Base, table=True):
    """What the scores hold of one evaluable service now: without who, and all they are made of.

    Item, unit and division are fixed when the service is opened; who did it and where may become
    known later. What counts is compared with ratings and
    rectifications whenever these change; the difference goes into the roll-ups.
    """

    __tablename__ = "score_fact"
    __table_args__ = (
        one_of("first_level", RatingLevel),
        one_of("current_level", RatingLevel),
        # Days grow with the table: a few pages instead of one index entry a row.
        Index("ix_score_fact_opened", "opened_on", postgresql_using="brin"),
        Index("ix_score_fact_rated", "rated_on", postgresql_using="brin"),
        Index("ix_score_fact_matter", "matter_on", postgresql_using="brin"),
    )

    evaluable_id: UUID = Field(primary_key=True)
    item_id: UUID
    item_name: str
    unit_code: str | None = None
    unit_name: str | None = None
    window_code: str | None = None
    handler_id: UUID | None = None
    handler_name: str | None = None
    facility_id: UUID | None = None
    #: Where the resident's case is: a village or community, or above.
    division_code: str
    #: Null until it is counted at all.
    opened_on: date | None = None
    promised: bool = flag()
    kept: bool = flag()
    #: The day of the first rating that counts, given or by default.
    rated_on: date | None = None
    channel: str | None = None
    first_level: str | None = None
    current_level: str | None = None
    is_default: bool = flag()
    #: The day its 差评整改 was opened.
    matter_on: date | None = None
    matter_solved: bool = flag()
    matter_answered: bool = flag()
    matter_in_time: bool = flag()
    matter_called_back: bool = flag()
