"""认领: somebody proves to be the applicant or the agent of a request that others handed in."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.requests import ClaimedCase, RequestClaimed
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, NotFound, ServiceError, TooMany
from servicekit.personal_data import Cipher, record_access
from services.requests.claims import repository
from services.requests.claims.rules import ClaimedAs, Indexes, claimed_as, is_exhausted
from services.requests.claims.schemas import ClaimCreate, ClaimRead
from services.requests.clock.rules import LOCAL
from services.requests.metrics import CLAIMS
from services.requests.models import PartyRole
from services.requests.submissions.extras import PARTY_IDENTITY, PARTY_MOBILE
from services.requests.submissions.lookups import is_code_of
from services.requests.submissions.service import IDENTITY, MOBILE


class ClaimFailed(NotFound):
    """Does not say which of them is wrong, or whether there is such a request."""

    code, title = "claim-failed", "编号、查询码、身份证号或登录手机号与申请不符，请核对后再试"


class ClaimsTooOften(TooMany):
    code, title = "claim-too-often", "核对不符的次数太多，请一小时后再试，或到窗口办理"


class ClaimedAlready(Conflict):
    code, title = "claimed-already", "这次申请已由另一个账号认领，请到窗口核实"


async def claim(
    session: AsyncSession, cipher: Cipher, *, body: ClaimCreate, mobile: str, caller: Caller
) -> ClaimRead | ServiceError:
    """Let the caller's account speak for a request; `mobile` is what their sign-in has proven.

    Returns a refusal instead of raising it: raising would take back the counted try.

    Concurrency: tries of one account go one after the other; the request is locked, so that of
    two accounts one gets it. Repeated by the same account it changes nothing.
    """
    now = datetime.now(UTC)
    outcome = await _claim(session, cipher, body, mobile, caller, now)
    CLAIMS.labels(outcome.code if isinstance(outcome, ServiceError) else "ok").inc()
    return outcome


async def _claim(
    session: AsyncSession,
    cipher: Cipher,
    body: ClaimCreate,
    mobile: str,
    caller: Caller,
    now: datetime,
) -> ClaimRead | ServiceError:
    by_account = f"account:{caller.account_id}"
    if is_exhausted(await repository.count_attempt(session, by_account, now)):
        return ClaimsTooOften()
    row = await repository.lock_request(session, body.number.strip())
    if row is None or not is_code_of(cipher, row.number, body.lookup_code):
        return ClaimFailed()
    # Whoever has no receipt cannot close a request to those who have it: only their tries count.
    at_request = f"request:{row.id}"
    if is_exhausted(await repository.count_attempt(session, at_request, now)):
        return ClaimsTooOften()
    agent = await repository.find_party(session, row.id, PartyRole.agent)
    claimant = await repository.find_party(session, row.id, PartyRole.claimant)
    role = _role(cipher, row, agent, body.identity_number, mobile, now)
    if role is None:
        return ClaimFailed()
    await repository.forget_attempts(session, by_account, at_request)
    answer = ClaimRead(request_id=row.id, number=row.number, claimed_as=role)
    party = claimant if role == "applicant" else agent
    holder = party.account_id if party is not None else None
    if caller.account_id in (holder, row.applicant_id):
        return answer
    if holder is not None:
        return ClaimedAlready()
    if party is None:
        await repository.add_claimant(session, row.id, caller.account_id, now)
    else:
        await repository.give_to_agent(session, party.id, caller.account_id, now)
    await _tell(session, row, role, caller, now)
    return answer


def _role(
    cipher: Cipher, row: Any, agent: Any, identity_number: str, mobile: str, now: datetime
) -> ClaimedAs | None:
    def shown(identity: str, by_mobile: str) -> Indexes:
        return Indexes(
            cipher.blind_index(identity_number, identity), cipher.blind_index(mobile, by_mobile)
        )

    return claimed_as(
        Indexes(row.identity_index, row.mobile_index),
        Indexes(agent.identity_index, agent.mobile_index) if agent else None,
        agent.valid_until if agent else None,
        of_applicant=shown(IDENTITY, MOBILE),
        of_agent=shown(PARTY_IDENTITY, PARTY_MOBILE),
        today=now.astimezone(LOCAL).date(),
    )


async def _tell(
    session: AsyncSession, row: Any, role: ClaimedAs, caller: Caller, now: datetime
) -> None:
    await record_access(
        session,
        subject_id=row.applicant_id,
        viewer_id=caller.account_id,
        viewer_name=None,
        viewer_unit=None,
        record=f"认领申请 {row.number}",
        fields=["claim"],
        reason="申请人认领" if role == "applicant" else "代理人认领",
    )
    event = RequestClaimed(
        request_id=row.id,
        request_number=row.number,
        applicant_id=row.applicant_id,
        division_code=row.division_code,
        occurred_at=now,
        account_id=caller.account_id,
        claimed_as=role,
        taken_in_by_staff=row.submitted_by is not None,
        cases=tuple(
            ClaimedCase(case_id=case_id, case_number=number)
            for case_id, number in await repository.list_cases(session, row.id)
        ),
    )
    await outbox.record(session, event)
