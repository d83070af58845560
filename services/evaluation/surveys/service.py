"""Planning surveys: questionnaires by version, plans, the sample drawn once, the close."""

import secrets
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.paging import Page, cut, encode_cursor, id_cursor
from services.evaluation.divisions import service as divisions
from services.evaluation.models import SurveyState
from services.evaluation.surveys import covering, repository
from services.evaluation.surveys.sampling import allocate, draw
from services.evaluation.surveys.schemas import (
    QuestionnaireCreate,
    QuestionnaireRead,
    SurveyCreate,
    SurveyRead,
)

_SEEDS = 2**62


class QuestionnaireUnknown(Invalid):
    code, title = "questionnaire-unknown", "没有这份问卷"


class QuestionnaireOfOthers(Conflict):
    code, title = "questionnaire-of-others", "这个代码已被其他地区的问卷使用"


class SurveyNotFound(NotFound):
    code, title = "survey-not-found", "没有这项调查"


class SurveyStateWrong(Conflict):
    code, title = "survey-state-wrong", "调查所处的阶段不能进行这一步"


class NothingToDraw(Conflict):
    code, title = "nothing-to-draw", "这个区域没有登记户数的村（社区），无法抽样"


async def create_questionnaire(
    session: AsyncSession, body: QuestionnaireCreate, caller: Caller
) -> QuestionnaireRead:
    """Write a questionnaire, as the next version where there is one with its code.

    Raises:
        WrongDivision: it is to be, or is, that of a division outside the caller's.
        DivisionUnknown: there is no such division.
        QuestionnaireOfOthers: another division has a questionnaire with this code.
    """
    caller.ensure_covers(body.division_code)
    await divisions.ensure_known(session, body.division_code)
    newest = await repository.newest(session, body.code)
    if newest is not None and newest.division_code != body.division_code:
        raise QuestionnaireOfOthers
    values: dict[str, Any] = {
        "id": new_id(),
        "code": body.code,
        "version": newest.version + 1 if newest else 1,
        "division_code": body.division_code,
        "title": body.title,
        "questions": [question.model_dump(mode="json") for question in body.questions],
        "created_at": now(),
    }
    await repository.insert_questionnaire(session, {**values, "created_by": caller.account_id})
    return QuestionnaireRead(**values)


async def list_questionnaires(
    session: AsyncSession, code: str | None, *, after: str | None, limit: int
) -> Page[QuestionnaireRead]:
    """Versions of questionnaires, newest first."""
    rows = await repository.questionnaires(session, code, before=id_cursor(after), limit=limit + 1)
    page, more = cut(list(rows), limit)
    return Page(
        items=[QuestionnaireRead(**row._mapping) for row in page],
        next=encode_cursor(page[-1].id) if more else None,
    )


async def create_survey(session: AsyncSession, body: SurveyCreate, caller: Caller) -> SurveyRead:
    """Plan a survey.

    Raises:
        WrongDivision: it lies outside the caller's.
        DivisionUnknown, QuestionnaireUnknown: there is none.
    """
    caller.ensure_covers(body.division_code)
    await divisions.ensure_known(session, body.division_code)
    if await repository.questionnaire(session, body.questionnaire_id) is None:
        raise QuestionnaireUnknown
    values = {
        **body.model_dump(),
        "id": new_id(),
        "state": SurveyState.planned,
        "version": 1,
        "created_by": caller.account_id,
        "created_at": now(),
    }
    await repository.insert_survey(session, values)
    return SurveyRead(**{"seed": None, "drawn_at": None, "closed_at": None, **values})


async def get(session: AsyncSession, survey_id: UUID) -> SurveyRead:
    """One survey.

    Raises:
        SurveyNotFound: there is none.
    """
    return SurveyRead(**(await find(session, survey_id))._mapping)


async def find(session: AsyncSession, survey_id: UUID) -> Any:
    """The survey's row.

    Raises:
        SurveyNotFound: there is none.
    """
    row = await repository.find(session, survey_id)
    if row is None:
        raise SurveyNotFound
    return row


async def list_surveys(
    session: AsyncSession, within: str, year: int | None, *, after: str | None, limit: int
) -> Page[SurveyRead]:
    """Surveys of a division, newest first."""
    rows = await repository.surveys(session, within, year, before=id_cursor(after), limit=limit + 1)
    page, more = cut(list(rows), limit)
    return Page(
        items=[SurveyRead(**row._mapping) for row in page],
        next=encode_cursor(page[-1].id) if more else None,
    )


async def draw_sample(
    session: AsyncSession, survey_id: UUID, caller: Caller, *, seed: int | None, version: int
) -> SurveyRead:
    """Draw the households of every village in force, and begin to collect.

    Villages without recorded households are kept in view, but nothing can be drawn in them.

    Raises:
        SurveyNotFound, WrongDivision, StaleVersion, SurveyStateWrong: see `_begin`.
        NothingToDraw: no village has recorded households.
    """
    survey = await _begin(session, survey_id, caller, SurveyState.planned, version)
    villages = await divisions.communities(session, survey.division_code, survey.year)
    households = {village.code: village.households for village in villages if village.households}
    if not households:
        raise NothingToDraw
    seed = secrets.randbelow(_SEEDS) if seed is None else seed
    asked = allocate(households, survey.sample_size, survey.village_minimum)
    await repository.insert_strata(
        session,
        [
            {
                "survey_id": survey_id,
                "division_code": village.code,
                "name": village.name,
                "households": village.households,
                "households_year": village.households_year,
                "sampled": asked.get(village.code, 0),
            }
            for village in villages
        ],
    )
    for code, count in asked.items():
        numbers = draw(seed, code, households[code], count)
        await repository.insert_samples(session, survey_id, code, numbers)
    await covering.tell(session, [village.code for village in villages], survey.year)
    changes = {"seed": seed, "state": SurveyState.collecting, "drawn_at": now()}
    return await _change(session, survey, changes)


async def close(
    session: AsyncSession, survey_id: UUID, caller: Caller, *, version: int
) -> SurveyRead:
    """End the collection; results become public.

    Raises:
        SurveyNotFound, WrongDivision, StaleVersion, SurveyStateWrong: see `_begin`.
    """
    survey = await _begin(session, survey_id, caller, SurveyState.collecting, version)
    changes = {"state": SurveyState.closed, "closed_at": now()}
    return await _change(session, survey, changes)


async def _begin(
    session: AsyncSession, survey_id: UUID, caller: Caller, state: SurveyState, version: int
) -> Any:
    """Lock a survey for a step.

    Raises:
        SurveyNotFound: there is none.
        WrongDivision: it lies outside the caller's.
        StaleVersion: somebody was quicker.
        SurveyStateWrong: the step is not possible now.
    """
    row = await repository.lock(session, survey_id)
    if row is None:
        raise SurveyNotFound
    caller.ensure_covers(row.division_code)
    if row.version != version:
        raise StaleVersion
    if row.state != state:
        raise SurveyStateWrong(state=row.state)
    return row


async def _change(session: AsyncSession, survey: Any, changes: dict[str, Any]) -> SurveyRead:
    changes = {**changes, "version": survey.version + 1}
    await repository.change_survey(session, survey.id, changes)
    return SurveyRead(**{**survey._mapping, **changes})
