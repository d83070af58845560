"""Staff who would rate their own unit, doubts, and what a review makes of them."""

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import Forbidden
from services.evaluation.fingerprints import Fingerprints
from services.evaluation.integrity import repository
from services.evaluation.models import StaffNumberKind


class RaterIsStaff(Forbidden):
    code, title = "rater-is-staff", "本单位工作人员不能评价本单位"


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
