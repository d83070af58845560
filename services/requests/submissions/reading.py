"""What people see of requests: their own in full, staff those of their division or unit, masked."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision, WrongPerson, WrongRole
from servicekit.errors import Invalid, NotFound
from servicekit.personal_data import Cipher
from services.requests.disclosures.rules import SIGHTS, Person, Sight, shown, sight_of
from services.requests.submissions import repository
from services.requests.submissions.extras import PARTY_IDENTITY, PARTY_MOBILE, PARTY_NAME
from services.requests.submissions.lookups import lookup_code
from services.requests.submissions.schemas import (
    Duplicates,
    DuplicatesQuery,
    PartyRead,
    RequestDetail,
)
from services.requests.submissions.service import IDENTITY, MOBILE, NAME
from services.requests.submissions.standing import speaks_for


class RequestNotFound(NotFound):
    code, title = "request-not-found", "没有找到这次申请"


class PersonRequired(Invalid):
    code, title = "person-required", "请填写申请人的身份证号"


async def get_request(
    session: AsyncSession, cipher: Cipher, *, request_id: UUID, caller: Caller
) -> RequestDetail:
    """A request as this caller may see it.

    Raises:
        RequestNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    row = await find_readable(session, request_id, caller)
    is_own = speaks_for(row, caller)
    sight = sight_of(caller, is_own=is_own)
    person = shown(person_of(cipher, row), sight)
    return RequestDetail(
        **{name: getattr(row, name) for name in _SHOWN},
        applicant_name=person.name,
        applicant_identity_number=person.identity_number,
        applicant_mobile=person.mobile,
        taken_in_by_staff=row.submitted_by is not None,
        lookup_code=lookup_code(cipher, row.number) if is_own else None,
        parties=[
            _party(cipher, party, sight)
            for party in await repository.list_parties(session, request_id)
        ],
    )


_SHOWN = (
    "id",
    "bundle_code",
    "number",
    "division_code",
    "channel",
    "submitted_at",
    "received_on",
    "cases",
)


async def find_readable(session: AsyncSession, request_id: UUID, caller: Caller) -> Any:
    """A request's row for somebody who may read it.

    Raises:
        RequestNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    row = await repository.find_request(session, request_id)
    if row is None:
        raise RequestNotFound
    if caller.is_resident:
        if not speaks_for(row, caller):
            raise WrongPerson
    elif caller.roles.isdisjoint(SIGHTS):
        raise WrongRole
    elif not caller.covers(row.division_code) and caller.unit not in row.unit_codes:
        raise WrongDivision
    return row


def person_of(cipher: Cipher, row: Any) -> Person:
    """The applicant of a request's row, decrypted."""
    return Person(
        cipher.decrypt(row.applicant_name, NAME),
        cipher.decrypt(row.identity_number, IDENTITY),
        cipher.decrypt(row.mobile, MOBILE),
    )


def _party(cipher: Cipher, row: Any, sight: Sight) -> PartyRead:
    contexts = {"name": PARTY_NAME, "identity_number": PARTY_IDENTITY, "mobile": PARTY_MOBILE}
    stored = {name: getattr(row, name) for name in contexts}
    plain = {n: cipher.decrypt(v, contexts[n]) if v is not None else "" for n, v in stored.items()}
    # The name of an organisation is public, as its code is.
    person = Person(**plain) if row.uscc else shown(Person(**plain), sight)
    return PartyRead(
        role=row.role,
        name=person.name or None,
        identity_number=person.identity_number or None,
        mobile=person.mobile or None,
        uscc=row.uscc,
        relation=row.relation,
        authority=row.authority,
        valid_until=row.valid_until,
    )


async def hint_at_duplicates(
    session: AsyncSession, cipher: Cipher, body: DuplicatesQuery, caller: Caller
) -> Duplicates:
    """Recent applications for the same items: a resident's own account's, or the person's for staff.

    Raises:
        PersonRequired: staff did not say whose.
    """
    index: bytes | None = None
    if not caller.is_resident:
        if body.identity_number is None:
            raise PersonRequired
        index = cipher.blind_index(body.identity_number, IDENTITY)
    rows = await repository.list_possible_duplicates(
        session,
        list(body.item_codes),
        identity_index=index,
        account_id=caller.account_id if caller.is_resident else None,
    )
    return Duplicates.model_validate({"items": rows}, from_attributes=True)
