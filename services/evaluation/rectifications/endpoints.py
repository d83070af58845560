"""差评整改: the work list, the steps, and what the resident is told."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from servicekit.app import create_router
from servicekit.auth import Resident, SignedIn
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import Staff
from services.evaluation.dependencies import DataCipher, Policy
from services.evaluation.models import RectificationState
from services.evaluation.rectifications import reading, service, steps
from services.evaluation.rectifications.rules import Action, Light
from services.evaluation.rectifications.schemas import (
    CallBack,
    CallBackMeasure,
    ClosingUnreached,
    DisclosedCase,
    Disclosure,
    DisclosureList,
    Explanation,
    Extension,
    FixByDate,
    FixNow,
    RectificationForResident,
    RectificationForStaff,
    RectificationStanding,
    RectificationSummary,
    Reply,
    Verification,
)
from services.evaluation.rectifications.transitions import Acting

router = create_router("rectifications")
_ACTIONS = "/rectifications/{rectification_id}/actions"


async def _acting(
    caller: Staff, expected: ExpectedVersion, cipher: DataCipher, settings: Policy
) -> Acting:
    return Acting(caller, expected, cipher, settings)


ActingStaff = Annotated[Acting, Depends(_acting)]


@router.get("/rectifications")
async def list_rectifications(
    caller: Staff,
    session: ReadSession,
    state: RectificationState | None = None,
    light: Light | None = None,
    escalated: bool = False,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[RectificationSummary]:
    """本单位（督办人员：本区域）的差评整改，期限近的在前；不指定状态时不含已销号的。"""
    return await reading.list_for_staff(
        session,
        caller=caller,
        state=state,
        lit=light,
        escalated=escalated,
        after=after,
        limit=limit,
    )


@router.get("/rectifications/call-backs")
async def measure_call_backs(
    caller: Staff, session: ReadSession, first: date, last: date
) -> CallBackMeasure:
    """反馈在起止日期之间的整改，回访了多少：按单位，要求 100 %。"""
    return await reading.measure_call_backs(session, caller=caller, first=first, last=last)


@router.get("/rectifications/{rectification_id}")
async def read_rectification(
    rectification_id: UUID,
    caller: SignedIn,
    session: ReadSession,
    response: Response,
    cipher: DataCipher,
    settings: Policy,
) -> RectificationForStaff | RectificationForResident:
    """一项整改：承办单位和督办人员看到全部经过，评价人看到进展和答复。"""
    shown = await reading.get(
        session, rectification_id, caller=caller, cipher=cipher, settings=settings
    )
    if isinstance(shown, RectificationForStaff):
        set_etag(response, shown.version)
    return shown


@router.post(f"{_ACTIONS}/verify")
async def verify(
    rectification_id: UUID,
    body: Verification,
    acting: ActingStaff,
    session: Session,
    response: Response,
) -> RectificationStanding:
    """核实差评反映的情况。"""
    await steps.take(session, rectification_id, Action.verify, acting, note=body.note)
    return await _after_step(session, rectification_id, acting, response)


@router.post(f"{_ACTIONS}/fix-now")
async def fix_now(
    rectification_id: UUID, body: FixNow, acting: ActingStaff, session: Session, response: Response
) -> RectificationStanding:
    """情况清楚、诉求合理：立行立改。"""
    await steps.take(session, rectification_id, Action.fix_now, acting, note=body.note)
    return await _after_step(session, rectification_id, acting, response)


@router.post(f"{_ACTIONS}/fix-by-date")
async def fix_by_date(
    rectification_id: UUID,
    body: FixByDate,
    acting: ActingStaff,
    session: Session,
    response: Response,
) -> RectificationStanding:
    """一时难以解决：说明理由，限期整改。"""
    await steps.fix_by_date(session, rectification_id, body, acting)
    return await _after_step(session, rectification_id, acting, response)


@router.post(f"{_ACTIONS}/explain")
async def explain(
    rectification_id: UUID,
    body: Explanation,
    acting: ActingStaff,
    session: Session,
    response: Response,
) -> RectificationStanding:
    """诉求缺乏依据：解释说明。"""
    await steps.take(session, rectification_id, Action.explain, acting, note=body.note)
    return await _after_step(session, rectification_id, acting, response)


@router.post(f"{_ACTIONS}/reply")
async def reply(
    rectification_id: UUID, body: Reply, acting: ActingStaff, session: Session, response: Response
) -> RectificationStanding:
    """向评价人反馈整改情况；此后评价人可以追评。"""
    await steps.reply(session, rectification_id, body, acting)
    return await _after_step(session, rectification_id, acting, response)


@router.post(f"{_ACTIONS}/call-back")
async def call_back(
    rectification_id: UUID,
    body: CallBack,
    acting: ActingStaff,
    session: Session,
    response: Response,
) -> RectificationStanding:
    """回访评价人（由答复人以外的督办人员）：解决则销号，未解决则重新整改，未联系到则记一次。"""
    await steps.call_back(session, rectification_id, body, acting)
    return await _after_step(session, rectification_id, acting, response)


@router.post(f"{_ACTIONS}/close-unreached")
async def close_unreached(
    rectification_id: UUID,
    body: ClosingUnreached,
    acting: ActingStaff,
    session: Session,
    response: Response,
) -> RectificationStanding:
    """在不同日期多次联系不上评价人：按未确认解决销号。"""
    await steps.take(session, rectification_id, Action.close_unreached, acting, note=body.note)
    return await _after_step(session, rectification_id, acting, response)


@router.post(f"{_ACTIONS}/extend")
async def extend(
    rectification_id: UUID,
    body: Extension,
    acting: ActingStaff,
    session: Session,
    response: Response,
) -> RectificationStanding:
    """延期：督办人员在期满前说明理由，延长若干工作日。"""
    await steps.extend(session, rectification_id, body, acting)
    return await _after_step(session, rectification_id, acting, response)


@router.post("/rectifications/{rectification_id}/disclosures", status_code=201)
async def disclose_case(
    rectification_id: UUID, body: Disclosure, caller: Staff, session: Session
) -> DisclosedCase:
    """核实、回访需要时查看是哪一件办件；查看会留痕，评价人可以查到。"""
    return await service.disclose(session, rectification_id, caller, reason=body.reason)


@router.get("/rectifications/{rectification_id}/disclosures")
async def list_disclosures(
    rectification_id: UUID, caller: Resident, session: ReadSession
) -> DisclosureList:
    """谁查看过这条评价是哪一件办件，为何查看；只有评价人本人可查。"""
    return await service.list_disclosures(session, rectification_id, caller)


async def _after_step(
    session: Session, rectification_id: UUID, acting: Acting, response: Response
) -> RectificationStanding:
    shown = await reading.get_standing(
        session, rectification_id, caller=acting.caller, settings=acting.settings
    )
    set_etag(response, shown.version)
    return shown
