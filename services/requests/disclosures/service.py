"""解密查看: a staff member sees an applicant's data in full, with a reason that stays on record."""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongPerson, WrongRole, WrongUnit
from servicekit.personal_data import Cipher, record_access
from services.requests.cases import repository as cases
from services.requests.cases.access import actors_of, ensure_may_read
from services.requests.cases.service import CaseNotFound
from services.requests.disclosures import repository
from services.requests.disclosures.schemas import Disclosure
from services.requests.submissions.matters import ANSWERS
from services.requests.submissions.service import IDENTITY, MOBILE, NAME
from services.requests.submissions.standing import speaks_for

FIELDS = ["applicant_name", "identity_number", "mobile", "answers"]


async def disclose(
    session: AsyncSession, cipher: Cipher, *, case_id: UUID, caller: Caller, reason: str
) -> Disclosure:
    """Show an applicant's data to somebody who works on the case, and write it down.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision, WrongUnit: nothing is shown.
    """
    case = await cases.find_case(session, case_id)
    if case is None:
        raise CaseNotFound
    if caller.is_resident:
        raise WrongRole if speaks_for(case, caller) else WrongPerson
    opinions = await cases.list_opinions(session, case_id)
    ensure_may_read(case, caller, opinions)
    if not actors_of(case, caller, opinions):
        raise WrongUnit
    await record_access(
        session,
        subject_id=case.applicant_id,
        viewer_id=caller.account_id,
        viewer_name=caller.name,
        viewer_unit=caller.unit,
        record=f"办件 {case.case_number}",
        fields=FIELDS,
        reason=reason,
    )
    return Disclosure(
        applicant_name=cipher.decrypt(case.applicant_name, NAME),
        identity_number=cipher.decrypt(case.identity_number, IDENTITY),
        mobile=cipher.decrypt(case.mobile, MOBILE),
        answers=orjson.loads(cipher.decrypt(case.answers, ANSWERS)),
    )


async def list_accesses(
    session: AsyncSession, caller: Caller, *, after: UUID | None, limit: int
) -> Any:
    """Who saw the caller's data, newest first."""
    return await repository.list_of_subject(session, caller.account_id, after=after, limit=limit)
