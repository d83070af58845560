"""Every event type by its name: one list for consumers, schemas and the AsyncAPI document."""

from contracts import catalogue, evaluation, exchange, facilities, requests
from contracts.envelope import Event

EVENTS: tuple[type[Event], ...] = (
    catalogue.ItemPublished,
    catalogue.ItemPaused,
    catalogue.ItemRetired,
    catalogue.BundlePublished,
    catalogue.BundleRetired,
    catalogue.AdmissionRecorded,
    catalogue.SearchMissed,
    facilities.DivisionRecorded,
    facilities.CommunityFiguresRecorded,
    facilities.FacilityRecorded,
    facilities.IndicatorComputed,
    facilities.BookingConfirmed,
    facilities.BookingCancelled,
    facilities.BookingExpired,
    facilities.BookingMovedUp,
    facilities.BookingReminderDue,
    facilities.BookingAttended,
    facilities.BookingMissed,
    requests.RequestSubmitted,
    requests.CorrectionRequested,
    requests.CorrectionAnswered,
    requests.CaseAccepted,
    requests.CaseRefused,
    requests.CaseDecided,
    requests.CaseCompleted,
    requests.CaseWithdrawn,
    requests.CaseEscalated,
    requests.CalendarYearRecorded,
    evaluation.EvaluationOpened,
    evaluation.RatingGiven,
    evaluation.RectificationOpened,
    evaluation.RectificationReplied,
    evaluation.RectificationReopened,
    evaluation.RectificationClosed,
    evaluation.CaseReopenRequested,
    evaluation.UnmetNeedsListed,
    evaluation.ScoreChanged,
    exchange.NoticeDelivered,
)

BY_TYPE: dict[str, type[Event]] = {event.event_type: event for event in EVENTS}
