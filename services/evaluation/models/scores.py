"""Scores: roll-ups kept in the transaction of each rating, equal to a recount at any moment.

What counts:

- `current_*`: per evaluable service one rating, the 追评 where there is one, else the first;
- `first_*`: the first ratings as they were given, so that a 差评 made good stays in the statistics;
- `default_count`: ratings the system gave after silence; in neither of the above nor in any rate.

Everything of one evaluable counts on the day of its first rating, so days sum up to the whole.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Computed, Double, Index, Integer
from sqlmodel import Field, SQLModel

from services.evaluation.models.base import Base, number, one_of, timestamp


class SubjectKind(StrEnum):
    """What a score is of."""

    item = "item"
    unit = "unit"


class LevelCounts(SQLModel):
    """Columns both roll-ups have."""

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


_GOOD = "current_very_satisfied + current_satisfied + current_fairly_satisfied"
_RATED = f"{_GOOD} + current_dissatisfied + current_very_dissatisfied"
#: Square of the z of a two-sided 95 % interval.
_ZZ = 3.841459
_WILSON_FLOOR = (
    f"(2 * ({_GOOD}) + {_ZZ} - sqrt({_ZZ} * ({_ZZ} + 4.0 * ({_GOOD})"
    f" * (current_dissatisfied + current_very_dissatisfied) / nullif({_RATED}, 0))))"
    f" / (2 * ({_RATED} + {_ZZ}))"
)


class Score(LevelCounts, Base, table=True):
    """All-time score of one subject; `revision` grows with every change."""

    __tablename__ = "score"
    __table_args__ = (
        one_of("subject_kind", SubjectKind),
        Index("ix_score_ranking", "subject_kind", "satisfaction_floor", "subject_id"),
    )

    subject_kind: str = Field(primary_key=True)
    #: Item id or unit code.
    subject_id: str = Field(primary_key=True)
    subject_name: str | None = None
    #: A unit's division; null for items.
    division_code: str | None = None
    revision: int = Field(default=0, sa_type=BigInteger)
    changed_at: datetime = timestamp()
    rated: int | None = Field(
        default=None, sa_column=Column(Integer, Computed(_RATED, persisted=True), nullable=False)
    )
    #: Lower bound of the 95 % Wilson interval of 好评率: one good rating outranks nobody.
    satisfaction_floor: float | None = Field(
        default=None, sa_column=Column(Double, Computed(_WILSON_FLOOR, persisted=True))
    )


class ScoreDay(LevelCounts, Base, table=True):
    """The same counts by the day of the first rating."""

    __tablename__ = "score_day"
    __table_args__ = (one_of("subject_kind", SubjectKind),)

    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
