"""Staff who would rate their own unit, and the numbers they might do it with."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Forbidden, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation.facts import responsible_division
from services.evaluation.fingerprints import Fingerprints
from services.evaluation.integrity import repository
from services.evaluation.integrity.schemas import (
    StaffNumberCreate,
    StaffNumberList,
    StaffNumberRead,
)
from services.evaluation.models import StaffNumberKind


class RaterIsStaff(Forbidden):
    code, title = "rater-is-staff", "本单位工作人员不能评价本单位"


class StaffNumberKnown(Conflict):
    code, title = "staff-number-known", "这个号码已经登记过"


class StaffNumberNotFound(NotFound):
    code, title = "staff-number-not-found", "没有登记这个号码"


async def ensure_not_staff(
    session: AsyncSession, unit_code: str | None, fingerprints: Fingerprints
) -> None:
    """Refuse an account or a telephone that is recorded as a staff member's of the rated unit.

    A device is shared more easily than those: it makes a rating doubtful, it does not refuse it.

    Raises:
        RaterIsStaff: it is.
    """
    given = [each for each in (fingerprints.account, fingerprints.phone) if each is not None]
    if unit_code is None or not given:
        return
    kinds = (StaffNumberKind.account, StaffNumberKind.mobile)
    if await repository.is_staff(session, unit_code, kinds, given):
        raise RaterIsStaff


async def add_staff_number(
    session: AsyncSession, body: StaffNumberCreate, *, caller: Caller, cipher: Cipher
) -> StaffNumberRead:
    """Keep the keyed hash of a number; the number itself is forgotten.

    Raises:
        WrongDivision: the unit lies outside the caller's division.
        StaffNumberKnown: it is kept already (by its unique key).
    """
    caller.ensure_covers(_division(body.unit_code))
    found = Fingerprints.of(cipher, device=body.device, phone=body.mobile, account=body.account_id)
    kinds = {
        StaffNumberKind.device: found.device,
        StaffNumberKind.mobile: found.phone,
        StaffNumberKind.account: found.account,
    }
    kind, value = next((kind, value) for kind, value in kinds.items() if value is not None)
    kept = StaffNumberRead(id=new_id(), unit_code=body.unit_code, kind=kind, added_at=now())
    await repository.add_staff_number(
        session, {**kept.model_dump(), "hash": value, "added_by": caller.account_id}
    )
    return kept


async def list_staff_numbers(
    session: AsyncSession, unit_code: str, *, caller: Caller
) -> StaffNumberList:
    """What is kept of a unit's staff.

    Raises:
        WrongDivision: the unit lies outside the caller's division.
    """
    caller.ensure_covers(_division(unit_code))
    rows = await repository.list_staff_numbers(session, unit_code)
    return StaffNumberList(
        items=[StaffNumberRead.model_validate(row, from_attributes=True) for row in rows]
    )


async def delete_staff_number(session: AsyncSession, number_id: UUID, *, caller: Caller) -> None:
    """Forget a number.

    Raises:
        StaffNumberNotFound, WrongDivision.
    """
    row = await repository.find_staff_number(session, number_id)
    if row is None:
        raise StaffNumberNotFound
    caller.ensure_covers(_division(row.unit_code))
    await repository.delete_staff_number(session, number_id)


def _division(unit_code: str) -> str:
    return responsible_division(unit_code, unit_code[:12])
