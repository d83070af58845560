"""Events of evaluation that change cases."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.evaluation import CaseReopenRequested
from services.requests.cases.effects import Asked
from services.requests.cases.rules import Action
from services.requests.cases.system import act_by_system

_REASONS = {"call-back": "回访时申请人表示没有解决", "rating": "申请人再次评价为不满意"}


async def reopen(session: AsyncSession, event: CaseReopenRequested, _: Envelope) -> None:
    """重办 what a resident says is not solved; a case that is open again already stays as it is."""
    asked = Asked(_REASONS[event.reason], event.rectification_id)
    await act_by_system(session, event.case_id, Action.reopen, asked)
