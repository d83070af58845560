"""一窗受理: from a resident's form to a receipt, in one statement and without asking anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from uuid import UUID

import asyncpg
import orjson
from fastapi import Response

from contracts.catalogue import ItemState
from contracts.requests import RequestSubmitted, SubmittedCase
from contracts.values import division_covers
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.database import to_json
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.group_writer import GroupWriter
from servicekit.idempotency import Key, replay
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher
from services.requests.clock.rules import LOCAL
from services.requests.clock.service import Promise, end_of_silence, promise
from services.requests.metrics import SUBMITTED, UNROUTED
from services.requests.reference.service import Item, Reference
from services.requests.routing.rules import Decision
from services.requests.routing.service import decide
from services.requests.submissions import repository, rules
from services.requests.submissions.numbers import (
    NumberAllocator,
    case_number,
    provisional_case_number,
    request_number,
)
from services.requests.submissions.repository import CaseRow, Submission, SubmissionRow
from services.requests.submissions.schemas import (
    ItemBody,
    MaterialRef,
    Receipt,
    ReceiptCase,
    RequestCreate,
    UnitRef,
)

NAME, IDENTITY, MOBILE = (
    "citizen_request.applicant_name",
    "citizen_request.identity_number",
    "citizen_request.mobile",
)
ANSWERS = "service_case.answers"


class ItemUnknown(NotFound):
    code, title = "item-unknown", "没有这个事项"


class ItemNotOpen(Conflict):
    code, title = "item-not-open", "这个事项目前暂停或已取消办理"


class DivisionUnknown(Invalid):
    code, title = "division-unknown", "没有这个村（社区），请重新选择"


class ItemNotOffered(Invalid):
    code, title = "item-not-offered-here", "这个事项不在您所在的地方办理"


class FormInvalid(Invalid):
    code, title = "form-invalid", "表单填写有误，请按提示修改"


@dataclass(frozen=True, slots=True)
class Intake:
    """What intake works with for as long as the process lives."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    writer: GroupWriter[Submission, bool]
    numbers: NumberAllocator
    cipher: Cipher
    office_closes_at: time


@dataclass(frozen=True, slots=True)
class _Matter:
    """One item of a submission, routed and promised."""

    case_id: UUID
    number: str
    item: ItemState
    body: ItemBody
    decision: Decision
    unit_name: str | None
    promise: Promise


async def submit(
    intake: Intake, reference: Reference, *, body: RequestCreate, caller: Caller, key: Key
) -> Response:
    """Take an application in; the answer is sent after the commit of its statement.

    Raises:
        ItemUnknown, ItemNotOpen, ItemNotOffered, DivisionUnknown, FormInvalid: nothing is written.
        KeyReused: the key was used for another body.
        QueueFull: too many submissions wait.
    """
    items = _check(reference, body)
    submission, receipt = await _prepare(intake, reference, body, items, caller, key)
    if not await intake.writer.add(submission):
        return replay(key, await repository.get_stored_answer(intake.pool, key))
    SUBMITTED.labels(body.channel).inc()
    UNROUTED.inc(sum(case.unit is None for case in receipt.cases))
    return Response(submission.row.answer, status_code=201, media_type="application/json")


def find_open_item(reference: Reference, item_code: str) -> Item:
    """An item that may be applied for now.

    Raises:
        ItemUnknown, ItemNotOpen.
    """
    item = reference.items_by_code.get(item_code)
    if item is None:
        raise ItemUnknown(f"没有编码为 {item_code} 的事项")
    if not item.is_open:
        raise ItemNotOpen(f"{item.state.name}目前暂停或已取消办理")
    return item


def _check(reference: Reference, body: RequestCreate) -> list[Item]:
    """Every item of an acceptable submission; all form violations at once."""
    if body.division_code not in reference.divisions:
        raise DivisionUnknown(f"没有区划代码 {body.division_code}")
    items = [find_open_item(reference, entry.item_code) for entry in body.items]
    violations: list[dict[str, str]] = []
    for position, (item, entry) in enumerate(zip(items, body.items, strict=True)):
        state = item.state
        if not division_covers(state.division_code, body.division_code):
            raise ItemNotOffered(f"{state.name}不在您所在的地方办理")
        path = f"/items/{position}"
        if body.channel not in state.channels:
            violations.append(_violation("/channel", f"{state.name}不能从这个渠道办理", "channel"))
        violations += rules.form_violations(item.form, state.form, entry.answers, f"{path}/answers")
        handed_in = [material.code for material in entry.materials]
        violations += [
            _violation(f"{path}/materials", f"{state.name}不需要材料 {code}", "unknown-material")
            for code in rules.unknown_materials(state.materials, handed_in)
        ]
    if violations:
        raise FormInvalid(errors=violations)
    return items


def _violation(path: str, message: str, kind: str) -> dict[str, str]:
    return {"path": path, "in": "body", "message": message, "type": kind}


async def _prepare(
    intake: Intake,
    reference: Reference,
    body: RequestCreate,
    items: Sequence[Item],
    caller: Caller,
    key: Key,
) -> tuple[Submission, Receipt]:
    now = datetime.now(UTC)
    today = now.astimezone(LOCAL).date()
    serial = await intake.numbers.take(body.division_code[:6], today)
    number = request_number(body.division_code, today, serial)
    request_id = new_id()
    matters = []
    for position, (item, entry) in enumerate(zip(items, body.items, strict=True), start=1):
        state = item.state
        if state.provisional:
            case_no = provisional_case_number(number, position)
        else:
            case_serial = await intake.numbers.take(state.item_code, today)
            case_no = case_number(state.item_code, today, case_serial)
        decision = decide(reference, state, body.division_code)
        promised = promise(
            reference.calendar,
            submitted_at=now,
            closes_at=intake.office_closes_at,
            days=state.limits.promised_days,
            unit=state.limits.promised_unit,
        )
        unit_name = reference.units.get(decision.unit_code or "")
        matters.append(_Matter(new_id(), case_no, state, entry, decision, unit_name, promised))
    received_on = matters[0].promise.received_on
    receipt = Receipt(
        id=request_id,
        number=number,
        submitted_at=now,
        received_on=received_on,
        clock_note=_clock_note(now, matters[0].promise),
        cases=[_receipt_case(matter) for matter in matters],
    )
    event = outbox.row_of(_event(request_id, number, caller, body, matters, now))
    applicant = body.applicant
    cipher = intake.cipher
    row = SubmissionRow(
        id=request_id,
        caller=key.caller,
        key=key.key,
        body_hash=key.body_hash,
        answer=receipt.model_dump_json().encode(),
        number=number,
        applicant_id=caller.account_id,
        applicant_name=cipher.encrypt(applicant.name, NAME),
        identity_number=cipher.encrypt(applicant.identity_number, IDENTITY),
        identity_index=cipher.blind_index(applicant.identity_number, IDENTITY),
        mobile=cipher.encrypt(applicant.mobile, MOBILE),
        mobile_index=cipher.blind_index(applicant.mobile, MOBILE),
        division_code=body.division_code,
        channel=body.channel,
        submitted_at=now,
        received_on=received_on,
        event_id=event["id"],
        event_type=event["type"],
        event_payload=event["payload"],
        traceparent=event["traceparent"],
    )
    silence_ends_at = end_of_silence(reference.calendar, received_on)
    cases = tuple(_case_row(matter, request_id, cipher, silence_ends_at) for matter in matters)
    return Submission(row, cases), receipt


def _clock_note(now: datetime, promised: Promise) -> str:
    """When the clock starts, in words for residents."""
    start = promised.received_on
    if start is None:
        return "承诺办结日待当年工作日历公布后确定"
    words = f"{start.year}年{start.month}月{start.day}日"
    if start == now.astimezone(LOCAL).date():
        return f"今日收件，办理时限自{words}的次日起计算"
    return f"现在是非工作时间，申请已收到；视为{words}收件，办理时限自次日起计算"


def _receipt_case(matter: _Matter) -> ReceiptCase:
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


def _case_row(
    matter: _Matter, request_id: UUID, cipher: Cipher, silence_ends_at: datetime | None
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
        materials=to_json([material.model_dump() for material in matter.body.materials]),
        routing=to_json(matter.decision.as_record()),
        due_on=matter.promise.due_on,
        silence_ends_at=silence_ends_at,
    )


def _event(
    request_id: UUID,
    number: str,
    caller: Caller,
    body: RequestCreate,
    matters: Sequence[_Matter],
    now: datetime,
) -> RequestSubmitted:
    return RequestSubmitted(
        request_id=request_id,
        request_number=number,
        applicant_id=caller.account_id,
        division_code=body.division_code,
        occurred_at=now,
        channel=body.channel,
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
