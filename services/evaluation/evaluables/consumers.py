"""Events of requests: every fact about a case renews its copy, its completion opens it to rating."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseDecided,
    CaseEvent,
    CorrectionAnswered,
    CorrectionRequested,
)
from servicekit.bus import Subscription
from services.evaluation.evaluables import service
from services.evaluation.settings import EvaluationSettings

GROUP = "evaluation.cases"


async def copy_case(session: AsyncSession, event: CaseEvent, _: Envelope) -> None:
    """Keep the copy of the case."""
    await service.copy_case(session, event)


def create_subscription(settings: EvaluationSettings) -> Subscription:
    """What evaluation takes from requests."""

    async def open_completed(session: AsyncSession, event: CaseCompleted, _: Envelope) -> None:
        await service.open_completed(session, event, settings.supplement_days)

    return Subscription(
        GROUP,
        {
            CorrectionRequested: [copy_case],
            CorrectionAnswered: [copy_case],
            CaseAccepted: [copy_case],
            CaseDecided: [copy_case],
            CaseCompleted: [copy_case, open_completed],
        },
    )
