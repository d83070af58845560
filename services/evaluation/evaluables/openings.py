"""办件服务: which event of requests ends which service of a case, as a table."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.envelope import Event
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseEvent,
    CasePaid,
    CorrectionAnswered,
    RequestSubmitted,
)
from services.evaluation.models import ServiceNumber


@dataclass(frozen=True, slots=True)
class Opening:
    """One service, and whether its end asks the resident to rate by a message of its own.

    Source: 办结后主动提示评价 (DB2203/T 8-2024 4.7); the other services are open to rating without
    being asked for, so that one case does not bring four messages.
    """

    service: ServiceNumber
    invites: bool = False


#: 咨询 joins when requests tells that one was answered.
OPENED_BY: dict[type[Event], Opening] = {
    RequestSubmitted: Opening(ServiceNumber.application),
    CorrectionAnswered: Opening(ServiceNumber.correction),
    CasePaid: Opening(ServiceNumber.payment),
    CaseCompleted: Opening(ServiceNumber.completion, invites=True),
}
#: Services that were opened before somebody took them up: who does is told by a later event.
TAKEN_UP_BY: dict[type[Event], tuple[ServiceNumber, ...]] = {
    CaseAccepted: (ServiceNumber.application, ServiceNumber.correction),
}


@dataclass(frozen=True, slots=True)
class Done:
    """A service that ended: of which case, by whom, where."""

    case_id: UUID
    case_number: str
    applicant_id: UUID
    item_id: UUID
    item_name: str
    unit_code: str | None
    unit_name: str | None
    division_code: str
    occurred_at: datetime
    handler_id: UUID | None = None
    handler_name: str | None = None
    window_code: str | None = None
    facility_id: UUID | None = None

    @classmethod
    def of(cls, event: CaseEvent) -> "Done":
        """What an event of a case says; who did it and where, if it is one that tells."""
        by = event if isinstance(event, CaseCompleted | CasePaid) else None
        return cls(
            case_id=event.case_id,
            case_number=event.case_number,
            applicant_id=event.applicant_id,
            item_id=event.item_id,
            item_name=event.item_name,
            unit_code=event.unit_code,
            unit_name=event.unit_name,
            division_code=event.division_code,
            occurred_at=event.occurred_at,
            handler_id=by.handler_id if by else None,
            handler_name=by.handler_name if by else None,
            window_code=by.window_code if by else None,
            facility_id=by.facility_id if by else None,
        )
