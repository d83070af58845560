"""Ratings that staff of another unit type in: told on the telephone, or written on paper."""

import hashlib
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Conflict, Forbidden, ServiceError
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation import attachments
from services.evaluation.evaluables import service as evaluables
from services.evaluation.fingerprints import Fingerprints
from services.evaluation.invitations import repository
from services.evaluation.invitations.schemas import (
    AssistedRating,
    AssistedReceipt,
    BatchCreate,
    BatchRead,
    PaperRow,
    RowOutcome,
)
from services.evaluation.invitations.service import ServiceNotOpen
from services.evaluation.models import RatingChannel
from services.evaluation.ratings import service as ratings
from services.evaluation.ratings.service import Way
from services.evaluation.settings import EvaluationSettings


class EnteredByRatedUnit(Forbidden):
    code, title = "entered-by-rated-unit", "评价不能由被评价的单位代录"


class ScanTakenAlready(Conflict):
    code, title = "scan-taken-already", "这份扫描件已经录入过"


async def take_call(
    session: AsyncSession,
    body: AssistedRating,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> AssistedReceipt:
    """Type in a rating told on the telephone.

    Raises:
        ServiceNotOpen, WrongDivision, EnteredByRatedUnit: not this case, or not by this person.
        RatingAlreadyGiven, EvaluationClosed, …, RaterIsStaff, TagUnknown, …: the rating's.
    """
    way = Way(
        RatingChannel.telephone,
        Fingerprints.of(cipher, phone=body.phone),
        entered_by=caller.account_id,
        entered_unit=caller.unit,
    )
    await _enter(session, body, way, caller=caller, cipher=cipher, settings=settings)
    return AssistedReceipt(case_number=body.case_number, service_number=body.service_number)


async def take_batch(
    session: AsyncSession,
    body: BatchCreate,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> BatchRead:
    """Type in paper forms with their scan: each row is taken or refused by itself.

    Raises:
        WrongDivision: the caller acts for no division.
        ScanTakenAlready: this very scan was typed in before.
        AttachmentUnreadable: it is no PDF, PNG or JPEG.
    """
    if caller.division is None:
        raise WrongDivision
    batch_id = new_id()
    digest = hashlib.sha256(attachments.decode(body.scan)).hexdigest()
    if await repository.is_scan_known(session, digest):
        raise ScanTakenAlready
    await repository.add_batch(
        session,
        {
            "id": batch_id,
            "division_code": caller.division,
            "entered_by": caller.account_id,
            "entered_name": caller.name,
            "entered_unit": caller.unit,
            "entered_at": now(),
        },
    )
    await attachments.keep(
        session,
        body.scan,
        owner_kind="batch",
        owner_id=batch_id,
        added_by=caller.account_id,
        cipher=cipher,
    )
    outcomes = [
        await _take_row(session, number, row, batch_id, caller, cipher, settings)
        for number, row in enumerate(body.rows, 1)
    ]
    taken = sum(outcome.taken for outcome in outcomes)
    await repository.close_batch(session, batch_id, taken)
    return BatchRead(id=batch_id, taken=taken, rows=outcomes)


async def _take_row(
    session: AsyncSession,
    number: int,
    row: PaperRow,
    batch_id: UUID,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RowOutcome:
    way = Way(
        RatingChannel.paper,
        entered_by=caller.account_id,
        entered_unit=caller.unit,
        batch_id=batch_id,
    )
    try:
        # A refused row takes back what it wrote, and nothing of the others.
        async with session.begin_nested():
            await _enter(session, row, way, caller=caller, cipher=cipher, settings=settings)
    except ServiceError as refused:
        return RowOutcome(row=number, taken=False, code=refused.code, title=refused.title)
    return RowOutcome(row=number, taken=True)


async def _enter(
    session: AsyncSession,
    body: AssistedRating | PaperRow,
    way: Way,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> None:
    row = await repository.find_evaluable(session, body.case_number, body.service_number)
    if row is None:
        raise ServiceNotOpen
    facts, standing = await evaluables.lock(session, row.id)
    if not (caller.covers(facts.division_code) or caller.covers(facts.responsible_division)):
        raise WrongDivision
    if caller.unit is None or caller.unit == facts.unit_code:
        raise EnteredByRatedUnit
    evaluables.ensure_ratable(standing, body.assess_number)
    await ratings.give_to(session, facts, body, way=way, cipher=cipher, settings=settings)
