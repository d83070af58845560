"""Surveys (满意度调查): questionnaires, plans, the sample drawn, and answers without who.

An answer names its village and nothing that leads to the household; the household's place in the
sample says only that it answered. So nobody can tell afterwards who said what.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from services.evaluation.models.base import Base, number, one_of, timestamp


class SurveyState(StrEnum):
    """Where a survey stands."""

    planned = "planned"
    collecting = "collecting"
    closed = "closed"


class SurveyMode(StrEnum):
    """How a household was asked."""

    link = "link"
    visit = "visit"
    telephone = "telephone"


class SampleState(StrEnum):
    """What became of a sampled household."""

    open = "open"
    answered = "answered"
    refused = "refused"
    #: Nobody was met; the household may still answer.
    unreached = "unreached"


class Questionnaire(Base, table=True):
    """问卷: one version, never changed; a change is the next version."""

    __tablename__ = "questionnaire"
    __table_args__ = (UniqueConstraint("code", "version"),)

    id: UUID = Field(primary_key=True)
    code: str
    version: int
    #: Whose it is; staff of it and above make further versions.
    division_code: str
    title: str
    questions: list[dict[str, Any]] = Field(sa_type=JSONB)
    created_by: UUID
    created_at: datetime = timestamp()


class Survey(Base, table=True):
    """调查计划 of a division and year."""

    __tablename__ = "survey"
    __table_args__ = (
        one_of("state", SurveyState),
        CheckConstraint("(state = 'planned') = (seed IS NULL)", name="seed_when_drawn"),
        Index("ix_survey_division", "division_code", "id"),
        Index("ix_survey_year", "year"),
    )

    id: UUID = Field(primary_key=True)
    year: int
    division_code: str
    title: str
    questionnaire_id: UUID = Field(foreign_key="questionnaire.id")
    #: Households to be asked in all, and in each village at least.
    sample_size: int
    village_minimum: int
    #: Anybody with it can draw the same households again.
    seed: int | None = Field(default=None, sa_type=BigInteger)
    state: str
    version: int
    created_by: UUID
    created_at: datetime = timestamp()
    drawn_at: datetime | None = timestamp(nullable=True)
    closed_at: datetime | None = timestamp(nullable=True)


class SurveyStratum(Base, table=True):
    """A village of a survey, with the households it was drawn from."""

    __tablename__ = "survey_stratum"
    __table_args__ = (Index("ix_survey_stratum_division", "division_code"),)

    survey_id: UUID = Field(primary_key=True, foreign_key="survey.id")
    division_code: str = Field(primary_key=True)
    name: str
    #: Null where no figure is recorded: nothing can be drawn, and the village stays uncovered.
    households: int | None = None
    households_year: int | None = None
    sampled: int = number()


class SurveyCoverage(Base, table=True):
    """调查覆盖 of a village and year over all surveys, as other services are told it."""

    __tablename__ = "survey_coverage"

    division_code: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    survey_ids: list[UUID] = Field(
        sa_type=ARRAY(Uuid), sa_column_kwargs={"server_default": text("'{}'")}
    )
    sampled: int = number()
    answered: int = number()
    refused: int = number()
    unreached: int = number()
    revision: int
    changed_at: datetime = timestamp()


class SurveySample(Base, table=True):
    """A household drawn, by its number in the village's register, and whether it answered."""

    __tablename__ = "survey_sample"
    __table_args__ = (
        one_of("state", SampleState),
        UniqueConstraint("survey_id", "division_code", "household_number"),
    )

    id: UUID = Field(primary_key=True)
    survey_id: UUID = Field(foreign_key="survey.id")
    division_code: str
    household_number: int
    state: str = SampleState.open
    #: The day it was settled; never the moment, which would lead to the answer.
    settled_on: date | None = None


class SurveyAnswer(Base, table=True):
    """One household's answers; from which village, and no more."""

    __tablename__ = "survey_answer"
    __table_args__ = (
        one_of("mode", SurveyMode),
        Index("ix_survey_answer_survey", "survey_id", "division_code"),
    )

    #: Random: a time-ordered one would lead to the household settled at that moment.
    id: UUID = Field(primary_key=True)
    survey_id: UUID = Field(foreign_key="survey.id")
    division_code: str
    mode: str
    #: Question code → option.
    answers: dict[str, str] = Field(sa_type=JSONB)
