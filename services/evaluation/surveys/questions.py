"""What a questionnaire may ask, and whether answers fit it. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.values import RatingLevel


class QuestionKind(StrEnum):
    """How a question is answered. No free text: it would tell who wrote it."""

    satisfaction = "satisfaction"
    yes_no = "yes-no"
    choice = "choice"


Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_FIXED: Mapping[QuestionKind, Sequence[str]] = {
    QuestionKind.satisfaction: [level.value for level in RatingLevel],
    QuestionKind.yes_no: ["yes", "no"],
}
_POSITIVE = {
    QuestionKind.satisfaction: frozenset(level.value for level in RatingLevel if not level.is_bad),
    QuestionKind.yes_no: frozenset({"yes"}),
}


class Option(BaseModel):
    """One answer to a choice."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    text: Text


class Question(BaseModel):
    """One question; five levels by name, yes or no, or options of its own."""

    model_config = ConfigDict(extra="forbid")

    code: Code
    kind: QuestionKind
    text: Text
    options: list[Option] = Field(default_factory=list, max_length=20)
    required: bool = True

    @model_validator(mode="after")
    def _options_fit(self) -> "Question":
        codes = [option.code for option in self.options]
        fits = len(codes) >= 2 if self.kind is QuestionKind.choice else not codes
        if not fits:
            raise ValueError("选择题应有两个以上选项，其他题型不另列选项")
        if len(codes) != len(set(codes)):
            raise ValueError("选项代码重复")
        return self

    @property
    def choices(self) -> Sequence[str]:
        """What may be answered."""
        return _FIXED.get(self.kind) or [option.code for option in self.options]

    @property
    def positive(self) -> frozenset[str]:
        """The answers that are for it; none for a choice."""
        return _POSITIVE.get(self.kind, frozenset())


class Misfit(BaseModel):
    """Why an answer does not fit."""

    question: str
    reason: Literal["unknown-question", "unknown-option", "missing"]


def misfits(questions: Sequence[Question], answers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Everything about the answers that does not fit the questions."""
    known = {question.code: question for question in questions}
    found = [
        Misfit(question=code, reason="unknown-question" if code not in known else "unknown-option")
        for code, option in answers.items()
        if code not in known or option not in known[code].choices
    ]
    found += [
        Misfit(question=question.code, reason="missing")
        for question in questions
        if question.required and question.code not in answers
    ]
    return [misfit.model_dump() for misfit in found]
