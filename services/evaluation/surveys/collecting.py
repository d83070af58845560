"""Collecting answers: by link, by visit and by telephone; one a household."""

import hmac
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Gone, Invalid, NotFound
from servicekit.outbox import now
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.models import SampleState, SurveyMode, SurveyState
from services.evaluation.surveys import covering, repository
from services.evaluation.surveys.questions import Question, misfits
from services.evaluation.surveys.schemas import (
    CollectedAnswer,
    Household,
    NonResponse,
    Receipt,
    SampleRead,
    SurveyForm,
)
from services.evaluation.surveys.service import SurveyNotFound

_LINK = "survey_sample.link"
_ID_DIGITS, _PROOF_DIGITS = 32, 32
_MOST_HOUSEHOLDS = 10_000_000


class LinkInvalid(NotFound):
    """Forged, cut off, or of a survey that is no more."""

    code, title = "survey-link-invalid", "答题链接无效，请核对后重新打开"


class AnsweredAlready(Conflict):
    code, title = "survey-answered-already", "这一户已经答过或表示不参加"


class SurveyClosed(Gone):
    code, title = "survey-closed", "调查还没有开始或已经结束"


class NotInSample(NotFound):
    code, title = "household-not-in-sample", "这一户没有被抽中"


class AnswersMisfit(Invalid):
    code, title = "answers-misfit", "有的回答与题目不符，请按提示修改"


def token_of(cipher: Cipher, sample_id: UUID) -> str:
    """The proof of being a sampled household: its id, and a keyed digest of it, in hex."""
    proof = cipher.blind_index(sample_id.hex, _LINK).hex()[:_PROOF_DIGITS]
    return f"{sample_id.hex}{proof}"


def _sample_of(cipher: Cipher, token: str) -> UUID:
    try:
        sample_id = UUID(hex=token[:_ID_DIGITS])
    except ValueError:
        raise LinkInvalid from None
    if not hmac.compare_digest(token_of(cipher, sample_id).encode(), token.encode()):
        raise LinkInvalid
    return sample_id


async def list_samples(
    session: AsyncSession,
    survey_id: UUID,
    caller: Caller,
    cipher: Cipher,
    *,
    division_code: str,
    after: str | None,
    limit: int,
) -> Page[SampleRead]:
    """The households drawn in a village, with the proofs to hand out.

    Raises:
        SurveyNotFound: there is none.
        WrongDivision: the village lies outside the caller's.
    """
    caller.ensure_covers(division_code)
    survey = await repository.find(session, survey_id)
    if survey is None:
        raise SurveyNotFound
    rows = await repository.samples(
        session, survey_id, division_code, after=_position(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    is_open = survey.state == SurveyState.collecting
    return Page(
        items=[_sample(row, cipher, is_open=is_open) for row in page],
        next=encode_cursor(page[-1].household_number) if more else None,
    )


def _position(after: str | None) -> int:
    if after is None:
        return 0
    [number] = decode_cursor(after, 1)
    if type(number) is not int or not 0 <= number <= _MOST_HOUSEHOLDS:
        raise CursorMalformed
    return number


def _sample(row: Any, cipher: Cipher, *, is_open: bool) -> SampleRead:
    may_answer = is_open and row.state in (SampleState.open, SampleState.unreached)
    return SampleRead(
        division_code=row.division_code,
        household_number=row.household_number,
        state=row.state,
        settled_on=row.settled_on,
        token=token_of(cipher, row.id) if may_answer else None,
    )


async def form_of(session: AsyncSession, token: str, cipher: Cipher) -> SurveyForm:
    """The questions behind a link.

    Raises:
        LinkInvalid, SurveyClosed: see `answer_by_link`.
    """
    sample = await repository.find_sample(session, _sample_of(cipher, token))
    if sample is None:
        raise LinkInvalid
    survey = await repository.find(session, sample.survey_id)
    assert survey is not None  # a foreign key
    questionnaire, questions = await _questions(session, survey)
    return SurveyForm(
        survey_id=survey.id,
        title=survey.title,
        questionnaire_title=questionnaire.title,
        questions=questions,
    )


async def answer_by_link(
    session: AsyncSession, token: str, answers: dict[str, str], cipher: Cipher
) -> Receipt:
    """Take a household's own answers.

    Raises:
        LinkInvalid: the token was not made here.
        AnsweredAlready: the household has answered or refused.
        SurveyClosed: it is not being collected.
        AnswersMisfit: questions or options that are not there, or are missing.
    """
    sample = await repository.lock_sample(session, _sample_of(cipher, token))
    if sample is None:
        raise LinkInvalid
    return await _take(session, sample, SurveyMode.link, answers)


async def answer_for(
    session: AsyncSession, survey_id: UUID, body: CollectedAnswer, caller: Caller
) -> Receipt:
    """Take what a household told a surveyor.

    Raises:
        WrongDivision: the village lies outside the caller's.
        NotInSample: the household was not drawn.
        AnsweredAlready, SurveyClosed, AnswersMisfit: see `answer_by_link`.
    """
    sample = await _household(session, survey_id, body, caller)
    return await _take(session, sample, SurveyMode(body.mode), body.answers)


async def note_non_response(
    session: AsyncSession, survey_id: UUID, body: NonResponse, caller: Caller
) -> Receipt:
    """Note that a household refused or was not met.

    Raises:
        WrongDivision, NotInSample, AnsweredAlready, SurveyClosed: see `answer_for`.
    """
    sample = await _household(session, survey_id, body, caller)
    survey, _ = await _held(session, survey_id)
    await _settle(session, sample, survey.year, SampleState(body.outcome))
    return Receipt(survey_id=survey_id)


async def _household(
    session: AsyncSession, survey_id: UUID, body: Household, caller: Caller
) -> Any:
    caller.ensure_covers(body.division_code)
    sample = await repository.lock_household(
        session, survey_id, body.division_code, body.household_number
    )
    if sample is None:
        raise NotInSample
    return sample


async def _questions(session: AsyncSession, survey: Any) -> tuple[Any, list[Question]]:
    if survey is None or survey.state != SurveyState.collecting:
        raise SurveyClosed
    questionnaire = await repository.questionnaire(session, survey.questionnaire_id)
    assert questionnaire is not None  # a foreign key
    return questionnaire, [Question.model_validate(each) for each in questionnaire.questions]


async def _held(session: AsyncSession, survey_id: UUID) -> tuple[Any, list[Question]]:
    """A survey that nobody closes until the commit, and its questions."""
    survey = await repository.share(session, survey_id)
    _, questions = await _questions(session, survey)
    return survey, questions


async def _take(
    session: AsyncSession, sample: Any, mode: SurveyMode, answers: dict[str, str]
) -> Receipt:
    survey, questions = await _held(session, sample.survey_id)
    wrong = misfits(questions, answers)
    if wrong:
        raise AnswersMisfit(misfits=wrong)
    await _settle(session, sample, survey.year, SampleState.answered)
    await repository.insert_answer(
        session,
        {
            # Random, and nothing of the household: nobody shall tell whose it is.
            "id": uuid4(),
            "survey_id": sample.survey_id,
            "division_code": sample.division_code,
            "mode": mode,
            "answers": answers,
        },
    )
    return Receipt(survey_id=sample.survey_id)


async def _settle(session: AsyncSession, sample: Any, year: int, state: SampleState) -> None:
    if sample.state not in (SampleState.open, SampleState.unreached):
        raise AnsweredAlready
    await repository.settle_sample(session, sample.id, state, local_day(now()))
    await covering.tell(session, [sample.division_code], year)
