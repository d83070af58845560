"""Who am I, and the proof of it."""

from datetime import UTC, datetime

from fastapi import APIRouter

from gateway.accounts import service
from gateway.accounts.schemas import Me, Proof
from gateway.identity import IdentityParts, Store
from gateway.sessions.tokens import PROOF_SECONDS, sign_proof
from gateway.transactions import reading
from servicekit.auth import Resident, SignedIn

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


@router.post("/me/proofs")
async def prove_me(caller: Resident, database: Store, identity: IdentityParts) -> Proof:
    """证明本人登录的手机号，两分钟内有效；认领窗口代办的申请时用。"""
    async with reading(database) as session:
        account = await service.get(session, caller.account_id)
    proof = sign_proof(
        identity.keys,
        account_id=account.id,
        mobile=service.mobile_of(account, identity.cipher),
        now=datetime.now(UTC),
    )
    return Proof(proof=proof, expires_in=PROOF_SECONDS)
