"""一窗受理: from a resident's form to a receipt, in one statement and without asking anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

import asyncpg
from fastapi import Response

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.group_writer import GroupWriter
from servicekit.idempotency import Key, replay
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher
from services.requests.clock.rules import LOCAL
from services.requests.clock.service import end_of_silence, promise
from services.requests.metrics import SUBMITTED, UNROUTED
from services.requests.reference.service import Item, Reference
from services.requests.routing.service import decide
from services.requests.submissions import repository
from services.requests.submissions.checks import check
from services.requests.submissions.matters import (
    Matter,
    case_row,
    clock_note,
    receipt_case,
    submitted_event,
)
from services.requests.submissions.numbers import (
    NumberAllocator,
    case_number,
    has_room_for_a_serial,
    own_case_number,
    request_number,
)
from services.requests.submissions.repository import Submission, SubmissionRow
from services.requests.submissions.schemas import (
    Receipt,
    RequestCreate,
)

NAME, IDENTITY, MOBILE = (
    "citizen_request.applicant_name",
    "citizen_request.identity_number",
    "citizen_request.mobile",
)


@dataclass(frozen=True, slots=True)
class Intake:
    """What intake works with for as long as the process lives."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    writer: GroupWriter[Submission, bool]
    numbers: NumberAllocator
    cipher: Cipher
    office_closes_at: time


async def submit(
    intake: Intake, reference: Reference, *, body: RequestCreate, caller: Caller, key: Key
) -> Response:
    """Take an application in; the answer is sent after the commit of its statement.

    Raises:
        ItemUnknown, ItemNotOpen, ItemNotOffered, DivisionUnknown, FormInvalid: nothing is written.
        KeyReused: the key was used for another body.
        QueueFull: too many submissions wait.
    """
    items = check(reference, body)
    submission, receipt = await _prepare(intake, reference, body, items, caller, key)
    if not await intake.writer.add(submission):
        return replay(key, await repository.get_stored_answer(intake.pool, key))
    SUBMITTED.labels(body.channel).inc()
    UNROUTED.inc(sum(case.unit is None for case in receipt.cases))
    return Response(submission.row.answer, status_code=201, media_type="application/json")


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
    calendar = reference.calendars.of(body.division_code)
    matters = []
    for position, (item, entry) in enumerate(zip(items, body.items, strict=True), start=1):
        state = item.state
        if state.provisional or not has_room_for_a_serial(state.item_code):
            case_no = own_case_number(number, position)
        else:
            case_serial = await intake.numbers.take(state.item_code, today)
            case_no = case_number(state.item_code, today, case_serial)
        decision = decide(reference, state, body.division_code)
        promised = promise(
            calendar,
            submitted_at=now,
            closes_at=intake.office_closes_at,
            days=state.limits.promised_days,
            unit=state.limits.promised_unit,
        )
        unit_name = reference.units.get(decision.unit_code or "")
        matters.append(Matter(new_id(), case_no, state, entry, decision, unit_name, promised))
    received_on = matters[0].promise.received_on
    receipt = Receipt(
        id=request_id,
        number=number,
        submitted_at=now,
        received_on=received_on,
        clock_note=clock_note(now, matters[0].promise),
        cases=[receipt_case(matter) for matter in matters],
    )
    event = outbox.row_of(submitted_event(request_id, number, caller, body, matters, now))
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
    silence_ends_at = end_of_silence(calendar, received_on)
    cases = tuple(case_row(matter, request_id, cipher, silence_ends_at) for matter in matters)
    return Submission(row, cases), receipt
