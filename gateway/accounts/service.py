"""Who an account belongs to."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import repository
from gateway.accounts.repository import StoredAccount
from gateway.accounts.schemas import AccountRead
from gateway.models import PHONE, AccountStatus
from servicekit.errors import Forbidden, NotFound
from servicekit.personal_data import Cipher, mask_mobile


class AccountSuspended(Forbidden):
    code, title = "account-suspended", "该账号已停用，请联系当地便民服务中心"


class AccountNotFound(NotFound):
    code, title = "account-not-found", "没有找到该账号"


async def sign_in_resident(session: AsyncSession, cipher: Cipher, *, phone: str) -> StoredAccount:
    """The account of a proven telephone number, made at the first sign-in.

    Raises:
        AccountSuspended: it may not sign in.
    """
    account = await repository.ensure_resident(
        session,
        phone=cipher.encrypt(phone, PHONE.context),
        phone_index=cipher.blind_index(phone, PHONE.context),
    )
    return _active(account)


async def sign_in_staff(
    session: AsyncSession, *, issuer: str, subject: str, display_name: str | None
) -> StoredAccount:
    """The account of a proven member of staff.

    Raises:
        AccountSuspended: it may not sign in.
    """
    account = await repository.keep_staff(
        session, issuer=issuer, subject=subject, display_name=display_name
    )
    return _active(account)


async def get(session: AsyncSession, account_id: UUID) -> StoredAccount:
    """An account.

    Raises:
        AccountNotFound: there is none.
    """
    account = await repository.find(session, account_id)
    if account is None:
        raise AccountNotFound
    return account


def mobile_of(account: StoredAccount, cipher: Cipher) -> str:
    """The telephone number a resident has proven."""
    assert account.phone is not None  # a resident's account has one
    return cipher.decrypt(account.phone, PHONE.context)


def read(account: StoredAccount, cipher: Cipher) -> AccountRead:
    """An account as its holder sees it: the telephone number masked, 137****9050."""
    phone = account.phone and mask_mobile(cipher.decrypt(account.phone, PHONE.context))
    return AccountRead(
        id=account.id, kind=account.kind, display_name=account.display_name, phone=phone
    )


def _active(account: StoredAccount) -> StoredAccount:
    if account.status is not AccountStatus.active:
        raise AccountSuspended
    return account
