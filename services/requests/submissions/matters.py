"""One item of a submission, routed and promised: its line of the receipt, its row, its fact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from contracts.catalogue import ItemState
from contracts.requests import RequestSubmitted, SubmittedCase
from servicekit.database import to_json
from servicekit.personal_data import Cipher
from services.requests.clock.rules import LOCAL
from services.requests.clock.service import Promise
from services.requests.routing.rules import Decision
from services.requests.submissions import rules
from services.requests.submissions.schemas import (
    ItemBody,
    MaterialRef,
    ReceiptCase,
    RequestCreate,
    UnitRef,
)
from services.requests.submissions.standing import Standing
from services.requests.submissions.statement import CaseRow, Json

ANSWERS = "service_case.answers"


@dataclass(frozen=True, slots=True)
class Matter:
    """One item of a submission, routed and promised."""

    case_id: UUID
    number: str
    item: ItemState
    body: ItemBody
    decision: Decision
    unit_name: str | None
    promise: Promise


def clock_note(now: datetime, promised: Promise) -> str:
    """When the clock starts, in words for residents."""
    start = promised.received_on
    if start is None:
        return "承诺办结日待当年工作日历公布后确定"
    words = f"{start.year}年{start.month}月{start.day}日"
    if start == now.astimezone(LOCAL).date():
        return f"今日收件，办理时限自{words}的次日起计算"
    return f"现在是非工作时间，申请已收到；视为{words}收件，办理时限自次日起计算"


def receipt_case(matter: Matter) -> ReceiptCase:
    item, decision = matter.item, matter.decision
    handed_in = [material.code for material in matter.body.materials]
    unit = None
    if decision.unit_code is not None:
        unit = UnitRef(code=decision.unit_code, name=matter.unit_name or decision.unit_code)
    return ReceiptCase(
        id=matter.case_id,
        number=matter.number,
        item_code=item.item_code,
        item_name=item.name,
        item_version=item.version,
        unit=unit,
        state="received",
        promised_days=item.limits.promised_days,
        promised_unit=item.limits.promised_unit,
        due_on=matter.promise.due_on,
        due_is_provisional=matter.promise.provisional,
        materials_missing=[
            MaterialRef(code=material.code, name=material.name)
            for material in rules.missing_materials(item.materials, handed_in)
        ],
    )


def case_row(
    matter: Matter, request_id: UUID, cipher: Cipher, silence_ends_at: datetime | None
) -> CaseRow:
    item = matter.item
    return CaseRow(
        id=matter.case_id,
        request_id=request_id,
        case_number=matter.number,
        item_id=item.item_id,
        item_code=item.item_code,
        item_name=item.name,
        item_version=item.version,
        promised_days=item.limits.promised_days,
        promised_unit=item.limits.promised_unit,
        unit_code=matter.decision.unit_code,
        unit_name=matter.unit_name,
        answers=cipher.encrypt(orjson.dumps(matter.body.answers).decode(), ANSWERS),
        materials=Json(to_json([material.as_record() for material in matter.body.materials])),
        routing=Json(to_json(matter.decision.as_record())),
        due_on=matter.promise.due_on,
        silence_ends_at=silence_ends_at,
    )


def submitted_event(
    request_id: UUID,
    number: str,
    standing: Standing,
    body: RequestCreate,
    matters: Sequence[Matter],
    now: datetime,
) -> RequestSubmitted:
    return RequestSubmitted(
        request_id=request_id,
        request_number=number,
        applicant_id=standing.applicant_id,
        division_code=body.division_code,
        occurred_at=now,
        channel=body.channel,
        window_code=body.window_code,
        facility_id=body.facility_id,
        cases=tuple(
            SubmittedCase(
                case_id=matter.case_id,
                case_number=matter.number,
                item_id=matter.item.item_id,
                item_code=matter.item.item_code,
                item_name=matter.item.name,
                item_version=matter.item.version,
                unit_code=matter.decision.unit_code,
                unit_name=matter.unit_name,
                due_on=matter.promise.due_on,
            )
            for matter in matters
        ),
    )
