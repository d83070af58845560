"""Events of requests, evaluation and bookings that residents are told about."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from contracts.evaluation import (
    CaseRatingEvent,
    EvaluationOpened,
    RectificationClosed,
    RectificationReopened,
    RectificationReplied,
)
from contracts.facilities import (
    BookingCancelled,
    BookingConfirmed,
    BookingDisplaced,
    BookingEvent,
    BookingExpired,
    BookingMissed,
    BookingMovedUp,
    BookingReminderDue,
    BookingRestored,
)
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseDecided,
    CaseFollowUpDue,
    CaseRefused,
    CaseRescheduled,
    CaseWithdrawn,
    CorrectionRequested,
    RequestClaimed,
    RequestEvent,
    RequestSubmitted,
)
from servicekit.bus import Subscription
from services.exchange.notices import service
from services.exchange.notices.templates import Templates

GROUP = "exchange.notices"
#: What the applicant is told about; each has its words in data/notices/templates.yaml.
TOLD: tuple[type[Event], ...] = (
    RequestSubmitted,
    RequestClaimed,
    CorrectionRequested,
    CaseAccepted,
    CaseRefused,
    CaseRescheduled,
    CaseFollowUpDue,
    CaseDecided,
    CaseCompleted,
    CaseWithdrawn,
    EvaluationOpened,
    RectificationReplied,
    RectificationReopened,
    RectificationClosed,
    BookingConfirmed,
    BookingCancelled,
    BookingDisplaced,
    BookingRestored,
    BookingExpired,
    BookingMovedUp,
    BookingReminderDue,
    BookingMissed,
)


def _concerns_residents(event: Event) -> bool:
    """Whether an event of these types is for the applicant, too."""
    match event:
        case EvaluationOpened():
            return event.invites
        case CaseRescheduled():
            return event.due_on is not None
        case CaseFollowUpDue():
            return event.kind == "deferred-material" and not event.overdue
        case _:
            return True


def subscription(templates: Templates) -> Subscription:
    """Tell the applicant, and who has claimed the request, of every such event in the words of its template."""

    async def tell_applicant(
        session: AsyncSession,
        event: RequestEvent | CaseRatingEvent | BookingEvent,
        envelope: Envelope,
    ) -> None:
        if not _concerns_residents(event):
            return
        if isinstance(event, RequestClaimed):
            await service.follow(session, event)
        for receiver_id in await service.receivers_of(session, event):
            await service.deliver(session, templates, event, envelope, receiver_id=receiver_id)

    return Subscription(GROUP, dict.fromkeys(TOLD, (tell_applicant,)))
