"""Searching for a person: who asked for whom and why is written down for whoever was found."""

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.personal_data import Cipher, record_access
from services.requests.disclosures.rules import shown, sight_of
from services.requests.people import repository
from services.requests.people.schemas import FoundRequest, FoundRequests, PersonSearch
from services.requests.submissions.extras import PARTY_IDENTITY, PARTY_MOBILE
from services.requests.submissions.reading import person_of
from services.requests.submissions.service import IDENTITY, MOBILE
from services.requests.submissions.standing import person_id

SHOWN = 50
#: Roles whose whole division is theirs to search; a handler's is the unit's cases.
BY_DIVISION = ("window-clerk", "supervisor", "village-agent")


async def search(
    session: AsyncSession, cipher: Cipher, body: PersonSearch, caller: Caller
) -> FoundRequests:
    """A person's requests that lie with the caller, masked.

    Everybody who was found can read who searched and why; so can, by the identity number, somebody
    of whom nothing was found.
    """
    by_mobile = body.identity_number is None
    value = body.mobile if body.identity_number is None else body.identity_number
    assert value is not None
    contexts = (MOBILE, PARTY_MOBILE) if by_mobile else (IDENTITY, PARTY_IDENTITY)
    of_applicant, of_party = (cipher.blind_index(value, context) for context in contexts)
    rows = await repository.list_of_person(
        session,
        by_mobile=by_mobile,
        of_applicant=of_applicant,
        of_party=of_party,
        division_code=caller.division if caller.has(*BY_DIVISION) else None,
        unit_code=caller.unit if caller.has("handler") else None,
        limit=SHOWN + 1,
    )
    subjects = {row.applicant_id for row in rows[:SHOWN]}
    if not subjects and not by_mobile:
        subjects = {person_id(cipher, value)}
    for subject_id in sorted(subjects):
        await record_access(
            session,
            subject_id=subject_id,
            viewer_id=caller.account_id,
            viewer_name=caller.name,
            viewer_unit=caller.unit,
            record="按手机号查询" if by_mobile else "按身份证号查询",
            fields=["search"],
            reason=body.reason,
        )
    sight = sight_of(caller, is_own=False)
    items = []
    for row in rows[:SHOWN]:
        person = shown(person_of(cipher, row), sight)
        items.append(
            FoundRequest(
                id=row.id,
                number=row.number,
                division_code=row.division_code,
                submitted_at=row.submitted_at,
                found_as=row.found_as,
                applicant_name=person.name,
                applicant_mobile=person.mobile,
                cases=row.cases or [],
            )
        )
    return FoundRequests(items=items, more=len(rows) > SHOWN)
