"""Events of requests: each renews the copy of its case, and some end a service that may be rated."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseDecided,
    CaseEvent,
    CasePaid,
    CorrectionAnswered,
    CorrectionRequested,
    RequestSubmitted,
)
from servicekit.bus import Subscription
from services.evaluation.evaluables import arrivals
from services.evaluation.evaluables.openings import OPENED_BY, TAKEN_UP_BY
from services.evaluation.settings import EvaluationSettings

GROUP = "evaluation.cases"


async def copy_case(session: AsyncSession, event: CaseEvent, _: Envelope) -> None:
    """Keep the copy of the case."""
    arrivals.copy_case(session, event)


def create_subscription(settings: EvaluationSettings) -> Subscription:
    """What evaluation takes from requests."""
    days = settings.supplement_days

    async def open_submitted(session: AsyncSession, event: RequestSubmitted, _: Envelope) -> None:
        arrivals.open_submitted(session, event, OPENED_BY[type(event)], days)

    async def open_service(session: AsyncSession, event: CaseEvent, _: Envelope) -> None:
        arrivals.open_service(session, event, OPENED_BY[type(event)], days)

    async def note_taken_up(session: AsyncSession, event: CaseAccepted, _: Envelope) -> None:
        arrivals.note_taken_up(session, event, TAKEN_UP_BY[type(event)])

    return Subscription(
        GROUP,
        {
            RequestSubmitted: [open_submitted],
            CorrectionRequested: [copy_case],
            CorrectionAnswered: [copy_case, open_service],
            CaseAccepted: [copy_case, note_taken_up],
            CaseDecided: [copy_case],
            CasePaid: [copy_case, open_service],
            CaseCompleted: [copy_case, open_service],
        },
    )
