"""What people do to cases: who may, whether it is possible, and then the one transition engine."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, NotFound
from servicekit.etags import StaleVersion
from servicekit.personal_data import Cipher
from services.requests.cases import repository
from services.requests.cases.access import actors_of, ensure_may_read, forbidden
from services.requests.cases.bodies import ActionBody
from services.requests.cases.checks import colleague_of, ensure_possible
from services.requests.cases.effects import EFFECTS, Acting, moment_of
from services.requests.cases.rules import Action, Refusal, possible, refusal
from services.requests.cases.schemas import (
    CaseRead,
    FollowUpRead,
    HistoryEntry,
    NoticeRead,
    OpinionRead,
    PauseRead,
    PaymentRead,
)
from services.requests.cases.transitions import apply, facts_of, load_dossier
from services.requests.clock.rules import CalendarMissing
from services.requests.clock.service import report_missing
from services.requests.disclosures.rules import shown, sight_of
from services.requests.materials.corrections import hand_in_files
from services.requests.reference.service import Reference
from services.requests.settings import RequestsSettings
from services.requests.submissions.reading import person_of
from services.requests.submissions.standing import speaks_for

ANSWER = "correction_notice.answer"


class CaseNotFound(NotFound):
    code, title = "case-not-found", "没有找到这个办件"


class CalendarYearMissing(Conflict):
    code, title = "calendar-year-missing", "当年工作日历尚未录入，暂时不能计算时限，请联系运维人员"


def _conflict(reason: str, text: str) -> type[Conflict]:
    return type(f"Refused_{reason}", (Conflict,), {"code": reason, "title": text})


REFUSALS: dict[Refusal, type[Conflict]] = {
    reason: _conflict(code, text)
    for reason, code, text in (
        (Refusal.wrong_state, "action-impossible", "办件当前的状态不能这样处理"),
        (
            Refusal.notice_given_already,
            "notice-given-already",
            "补正内容只能一次告知，不能再次要求补正",
        ),
        (Refusal.no_unit_yet, "no-unit-yet", "办件还没有办理单位，请先派单"),
        (Refusal.taken_already, "taken-already", "办件已有人领取"),
        (Refusal.not_taken, "not-taken", "办件还没有人领取"),
        (Refusal.correction_not_overdue, "correction-not-overdue", "补正期限还没有过"),
        (Refusal.extended_already, "extended-already", "办件已经延期，只能延期一次"),
        (Refusal.opinions_missing, "opinions-missing", "还有单位没有出具意见"),
        (Refusal.objected, "objected", "有单位不同意，不能作出准予的决定"),
        (Refusal.materials_outstanding, "materials-outstanding", "容缺的材料还没有补齐"),
        (Refusal.nothing_to_check, "nothing-to-check", "没有等待核查的承诺"),
        (Refusal.nothing_to_hand_in, "nothing-to-hand-in", "没有等待补交的材料"),
        (Refusal.archived_already, "archived-already", "办件已经归档"),
        (Refusal.nothing_to_deliver, "nothing-to-deliver", "没有要送达的决定"),
        (Refusal.voided, "voided", "办件已经作废"),
    )
}


async def get_case(
    session: AsyncSession, cipher: Cipher, *, case_id: UUID, caller: Caller
) -> CaseRead:
    """A case as this caller may see it.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    dossier = await load_dossier(session, case_id, lock=False)
    if dossier is None:
        raise CaseNotFound
    case, opinions = dossier.case, dossier.opinions
    ensure_may_read(case, caller, opinions)
    history = await repository.list_history(session, case_id)
    person = shown(person_of(cipher, case), sight_of(caller, is_own=speaks_for(case, caller)))
    facts = facts_of(dossier, datetime.now(UTC))
    return CaseRead(
        **{field: getattr(case, field) for field in repository.SHOWN},
        applicant_name=person.name,
        applicant_identity_number=person.identity_number,
        applicant_mobile=person.mobile,
        correction=_read(NoticeRead, dossier.notice) if dossier.notice else None,
        pauses=[_read(PauseRead, each) for each in dossier.pauses],
        opinions=[_read(OpinionRead, each) for each in opinions],
        payments=[_read(PaymentRead, each) for each in dossier.payments],
        follow_ups=[_read(FollowUpRead, each) for each in dossier.follow_ups],
        history=[_read(HistoryEntry, entry) for entry in history],
        possible_actions=possible(facts, actors_of(case, caller, opinions)),
    )


def _read(model: Any, row: Any) -> Any:
    return model.model_validate(row, from_attributes=True)


async def act(
    session: AsyncSession,
    reference: Reference,
    settings: RequestsSettings,
    cipher: Cipher,
    *,
    case_id: UUID,
    expected_version: int,
    caller: Caller,
    action: Action,
    body: ActionBody,
) -> int:
    """Take one step with a case; return its new version.

    Raises:
        CaseNotFound, WrongPerson, WrongUnit, WrongDivision, WrongRole: nobody may, or not this one.
        StaleVersion: somebody else was first.
        The conflicts of `REFUSALS`; what `checks.ensure_possible` raises of a body.
        CalendarYearMissing: days must be counted in a year nobody recorded.

    Concurrency: locks the case's row.
    """
    dossier = await load_dossier(session, case_id, lock=True)
    if dossier is None:
        raise CaseNotFound
    case, now = dossier.case, datetime.now(UTC)
    actors = actors_of(case, caller, dossier.opinions)
    facts = facts_of(dossier, now, grants=getattr(body, "granted", False))
    reason = refusal(action, facts, actors)
    if reason is Refusal.wrong_actor:
        raise forbidden(case, caller, action)
    if case.version != expected_version:
        raise StaleVersion
    if reason is not None:
        raise REFUSALS[reason]
    ensure_possible(reference, dossier, body)
    moment = moment_of(
        now,
        reference.calendars.of(case.division_code),
        settings.office_closes_at,
        settings.correction_days,
        reference.policies.of(case.division_code),
        settings.archive_days,
        Acting(caller, reference.units, await colleague_of(session, case, caller, body)),
    )
    try:
        effect = EFFECTS[action](dossier, body, moment)
    except CalendarMissing as missing:
        report_missing(missing)
        raise CalendarYearMissing from missing
    await hand_in_files(session, case, getattr(body, "materials", ()), caller=caller, now=now)
    if effect.notice_answer is not None:
        sealed = cipher.encrypt(effect.notice_answer, ANSWER)
        await repository.answer_notice(session, case_id, {"answered_at": now, "answer": sealed})
    if not caller.is_resident and caller.unit:
        await repository.note_member(session, caller.unit, caller.account_id, caller.name or "")
    return await apply(session, case, action, effect, caller=caller, now=now)
