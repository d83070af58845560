"""一窗受理: from a resident's form to a receipt, in one statement and without asking anybody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from uuid import UUID

import asyncpg
import orjson
from fastapi import Response

from servicekit import outbox
from servicekit.auth import Caller
from servicekit.group_writer import GroupWriter
from servicekit.idempotency import Key, replay
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher
from services.requests.clock.rules import LOCAL
from services.requests.clock.service import end_of_silence, promise
from services.requests.materials.usable import usable_files
from services.requests.metrics import SUBMITTED, UNROUTED
from services.requests.reference.service import Item, Reference
from services.requests.routing.service import decide
from services.requests.submissions import repository
from services.requests.submissions.bundles import find_bundle, spread
from services.requests.submissions.checks import check
from services.requests.submissions.extras import (
    bundle_rows,
    claims,
    file_rows,
    party_rows,
    reused_of,
    uploads_of,
)
from services.requests.submissions.lookups import lookup_code
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
from services.requests.submissions.schemas import ReceiptCore, RequestCreate
from services.requests.submissions.standing import Standing, standing_of
from services.requests.submissions.statement import Submission, SubmissionRow

NAME, IDENTITY, MOBILE = (
    "citizen_request.applicant_name",
    "citizen_request.identity_number",
    "citizen_request.mobile",
)


@dataclass(frozen=True, slots=True)
class Intake:
    """What intake works with for as long as the process lives."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    writer: GroupWriter[Submission, bytes | None]
    numbers: NumberAllocator
    cipher: Cipher
    office_closes_at: time


async def submit(
    intake: Intake, reference: Reference, *, body: RequestCreate, caller: Caller, key: Key
) -> Response:
    """Take an application in; the answer is sent after the commit of its statement.

    Raises:
        WrongDivision: staff act for another division.
        BundleUnknown, BundleNotOpen, BundleNotOffered, ItemUnknown, ItemNotOpen, ItemNotOffered, DivisionUnknown, FormInvalid, FilesUnusable:
            nothing is written.
        KeyReused: the key was used for another body.
        QueueFull: too many submissions wait.
    """
    now = datetime.now(UTC)
    standing = standing_of(caller, body, intake.cipher)
    today = now.astimezone(LOCAL).date()
    bundle = find_bundle(reference, body, today)
    if bundle is not None:
        body = spread(bundle, body, reference)
    items = check(reference, body, caller, today, bundle)
    prepared = await _prepare(intake, reference, body, items, now)
    submission = _submission(intake, prepared, body, standing, key)
    uploads, reused = uploads_of(body), reused_of(body)
    if uploads or reused or body.agent or body.organisation or body.draft_id or bundle:
        taken_over = await usable_files(
            intake.pool,
            uploads=uploads,
            reused=reused,
            owner_id=caller.account_id,
            identity_index=submission.row.identity_index,
            is_staff=not caller.is_resident,
        )
        request_id = submission.row.id
        submission = replace(
            submission,
            parties=party_rows(body, request_id, caller, intake.cipher),
            files=file_rows(prepared.matters, request_id, caller, now, taken_over),
            uploads=claims(request_id, uploads),
            drafts=claims(request_id, {body.draft_id} if body.draft_id else set()),
            bundles=bundle_rows(bundle, request_id),
        )
    duplicates = await intake.writer.add(submission)
    if duplicates is None:
        return await _again(intake, key)
    SUBMITTED.labels(body.channel).inc()
    UNROUTED.inc(sum(case.unit is None for case in prepared.receipt.cases))
    answer = _completed(intake, submission.row.answer, prepared.receipt.number, duplicates)
    return Response(answer, status_code=201, media_type="application/json")


async def _again(intake: Intake, key: Key) -> Response:
    """The answer of the first use of a key; what of it is not stored is made again."""
    stored = await repository.get_stored_answer(intake.pool, key)
    if stored.body_hash == key.body_hash:
        core = orjson.loads(stored.body)
        duplicates = await repository.find_duplicates_of(intake.pool, UUID(core["id"]))
        body = _completed(intake, stored.body, core["number"], duplicates)
        stored = replace(stored, body=body)
    return replay(key, stored)


def _completed(intake: Intake, core: bytes, number: str, duplicates: bytes) -> bytes:
    """A stored receipt with the code that is stored nowhere and the hints of the database."""
    code = lookup_code(intake.cipher, number).encode()
    return b'%b,"lookup_code":"%b","possible_duplicates":%b}' % (core[:-1], code, duplicates)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A submission before it is a row: numbered, routed, promised."""

    request_id: UUID
    matters: list[Matter]
    receipt: ReceiptCore
    silence_ends_at: datetime | None


async def _prepare(
    intake: Intake,
    reference: Reference,
    body: RequestCreate,
    items: Sequence[Item],
    now: datetime,
) -> _Prepared:
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
        decision = decide(
            reference,
            state,
            body.division_code,
            channel=body.channel,
            is_organisation=body.organisation is not None,
            at=now,
        )
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
    receipt = ReceiptCore(
        id=request_id,
        number=number,
        submitted_at=now,
        received_on=received_on,
        clock_note=clock_note(now, matters[0].promise),
        cases=[receipt_case(matter) for matter in matters],
    )
    return _Prepared(request_id, matters, receipt, end_of_silence(calendar, received_on))


def _submission(
    intake: Intake, prepared: _Prepared, body: RequestCreate, standing: Standing, key: Key
) -> Submission:
    receipt, request_id = prepared.receipt, prepared.request_id
    event = outbox.row_of(
        submitted_event(
            request_id, receipt.number, standing, body, prepared.matters, receipt.submitted_at
        )
    )
    applicant, cipher = body.applicant, intake.cipher
    row = SubmissionRow(
        id=request_id,
        caller=key.caller,
        key=key.key,
        body_hash=key.body_hash,
        answer=receipt.model_dump_json().encode(),
        number=receipt.number,
        applicant_id=standing.applicant_id,
        applicant_name=cipher.encrypt(applicant.name, NAME),
        identity_number=cipher.encrypt(applicant.identity_number, IDENTITY),
        identity_index=cipher.blind_index(applicant.identity_number, IDENTITY),
        mobile=cipher.encrypt(applicant.mobile, MOBILE),
        mobile_index=cipher.blind_index(applicant.mobile, MOBILE),
        division_code=body.division_code,
        channel=body.channel,
        submitted_at=receipt.submitted_at,
        received_on=receipt.received_on,
        submitted_by=standing.submitted_by,
        submitter_name=standing.submitter_name,
        submitted_unit=standing.submitted_unit,
        window_code=body.window_code,
        facility_id=body.facility_id,
        event_id=event["id"],
        event_type=event["type"],
        event_payload=event["payload"],
        traceparent=event["traceparent"],
    )
    cases = tuple(
        case_row(matter, request_id, cipher, prepared.silence_ends_at)
        for matter in prepared.matters
    )
    return Submission(row, cases)
