"""Surveys as they are planned, collected and read."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from contracts.values import DivisionCode
from services.evaluation.models import SampleState, SurveyMode, SurveyState
from services.evaluation.surveys.questions import Code, Question, Text

Answers = Annotated[dict[Code, Code], Field(max_length=60)]


class QuestionnaireCreate(BaseModel):
    """问卷: a new one, or the next version of the one with this code."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    division_code: DivisionCode
    title: Text
    questions: list[Question] = Field(min_length=1, max_length=60)

    @field_validator("questions")
    @classmethod
    def _once(cls, questions: list[Question]) -> list[Question]:
        codes = [question.code for question in questions]
        if len(codes) != len(set(codes)):
            raise ValueError("题目代码重复")
        return questions


class QuestionnaireRead(BaseModel):
    """A version of a questionnaire."""

    id: UUID
    code: str
    version: int
    division_code: str
    title: str
    questions: list[Question]
    created_at: datetime


class SurveyCreate(BaseModel):
    """调查计划."""

    model_config = ConfigDict(extra="forbid")

    year: int = Field(ge=2000, le=2200)
    division_code: DivisionCode
    title: Text
    questionnaire_id: UUID
    sample_size: int = Field(ge=1, le=100_000, description="计划调查的总户数")
    village_minimum: int = Field(default=5, ge=1, le=1_000, description="每村（社区）至少的户数")


class SurveyRead(BaseModel):
    """A survey."""

    id: UUID
    year: int
    division_code: str
    title: str
    questionnaire_id: UUID
    sample_size: int
    village_minimum: int
    seed: int | None = Field(description="抽样种子；凭它可以重抽出同样的户")
    state: SurveyState
    version: int
    drawn_at: datetime | None
    closed_at: datetime | None


class Draw(BaseModel):
    """抽样."""

    model_config = ConfigDict(extra="forbid")

    seed: int | None = Field(default=None, ge=0, le=2**62, description="不给则随机产生并记录")


class SampleRead(BaseModel):
    """A household drawn."""

    division_code: str
    household_number: int = Field(description="户在本村户册中的序号")
    state: SampleState
    settled_on: date | None
    token: str | None = Field(description="交给该户的一次性答题凭证；已答或拒访后为空")


class Household(BaseModel):
    """Which household."""

    model_config = ConfigDict(extra="forbid")

    division_code: DivisionCode
    household_number: int = Field(ge=1, le=10_000_000)


class CollectedAnswer(Household):
    """What a household said to who visited or called."""

    mode: Literal[SurveyMode.visit, SurveyMode.telephone]
    answers: Answers


class NonResponse(Household):
    """拒访 or 未遇."""

    outcome: Literal[SampleState.refused, SampleState.unreached]


class LinkAnswer(BaseModel):
    """What a household said by itself."""

    model_config = ConfigDict(extra="forbid")

    answers: Answers


class Receipt(BaseModel):
    """That an answer is taken; without anything that leads to it."""

    survey_id: UUID
    accepted: Literal[True] = True


class SurveyForm(BaseModel):
    """What is behind a link."""

    survey_id: UUID
    title: str
    questionnaire_title: str
    questions: list[Question]


class VillageCoverage(BaseModel):
    """How far a village is."""

    division_code: str
    name: str
    households: int | None = Field(description="抽样时的总户数；未登记时为空，无法抽样")
    sampled: int
    answered: int
    refused: int
    unreached: int
    response_ratio: float | None = Field(description="应答率：已答户占抽中户")
    is_covered: bool = Field(description="至少有一户已答")


class Coverage(BaseModel):
    """How far a survey is."""

    villages: int
    covered: int
    sampled: int
    answered: int
    response_ratio: float | None
    coverage_ratio: float | None = Field(description="覆盖率：已覆盖村占全部村")
    items: list[VillageCoverage]
    next: str | None


class UncoveredVillage(BaseModel):
    """A village that no survey of the year has reached yet."""

    division_code: str
    name: str


class YearCoverage(BaseModel):
    """每村必访: which villages of a division are not covered in a year."""

    year: int
    villages: int
    covered: int
    uncovered: list[UncoveredVillage]


class EstimateRead(BaseModel):
    """An estimated share with its 95 % interval."""

    share: float
    low: float
    high: float
    standard_error: float


class OptionResult(BaseModel):
    """How many would choose an option."""

    option: str
    estimate: EstimateRead


class QuestionResult(BaseModel):
    """A question's results; empty when too few answered."""

    code: str
    text: str
    answered: int | None
    positive: EstimateRead | None = Field(description="满意（基本满意以上）或“是”的占比")
    options: list[OptionResult]


class DivisionResult(BaseModel):
    """One division's main result; withheld where few answered."""

    division_code: str
    name: str | None
    is_withheld: bool = Field(description="应答户太少，或可由合计推出，不予显示")
    answered: int | None
    households: int | None
    positive: EstimateRead | None


class Results(BaseModel):
    """Results of a division, and its parts to go on to."""

    survey_id: UUID
    formula: str
    whole: DivisionResult
    questions: list[QuestionResult]
    parts: list[DivisionResult]
