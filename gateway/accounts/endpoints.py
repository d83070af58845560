"""Who am I."""

from fastapi import APIRouter

from gateway.accounts import service
from gateway.accounts.schemas import Me
from gateway.identity import IdentityParts, Store
from gateway.transactions import reading
from servicekit.auth import SignedIn

router = APIRouter(prefix="/v1", tags=["sign-in"])


@router.get("/me")
async def read_me(caller: SignedIn, database: Store, identity: IdentityParts) -> Me:
    """当前登录的人：账号、岗位和负责的区域。"""
    async with reading(database) as session:
        account = await service.get(session, caller.account_id)
    return Me(
        **service.read(account, identity.cipher).model_dump(),
        roles=sorted(caller.roles),
        division=caller.division,
        department=caller.department,
        unit=caller.unit,
        session_id=caller.session_id,
    )
