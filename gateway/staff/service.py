"""Signing in a member of staff whom the identity provider has proven."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import service as accounts
from gateway.accounts.repository import StoredAccount
from gateway.models import AccountKind
from gateway.sessions import service as sessions
from gateway.sessions.rules import Lifetimes
from gateway.sessions.service import OpenSession
from gateway.staff.rules import StaffClaims
from servicekit.errors import Forbidden


class StaffNotEntitled(Forbidden):
    code, title = "staff-not-entitled", "您的账号没有本系统的岗位，请联系管理员"


async def sign_in(
    session: AsyncSession,
    *,
    issuer: str,
    claims: StaffClaims,
    lifetimes: Lifetimes,
    now: datetime,
) -> tuple[StoredAccount, OpenSession]:
    """Open a session with the rights the provider gives today.

    Raises:
        AccountSuspended: the account may not sign in.
    """
    account = await accounts.sign_in_staff(
        session, issuer=issuer, subject=claims.subject, display_name=claims.name
    )
    opened = await sessions.begin(
        session,
        account_id=account.id,
        kind=AccountKind.staff,
        grants=claims.grants,
        lifetimes=lifetimes,
        now=now,
    )
    return account, opened
