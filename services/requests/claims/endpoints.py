"""认领: what was handed in at a window, by telephone or by an agent comes into one's own account."""

from typing import Any

from fastapi import Request

from servicekit.app import create_router
from servicekit.auth import Resident, TokenVerifier
from servicekit.errors import ServiceError, problem_response
from servicekit.idempotency import Session
from services.requests.claims import service
from services.requests.claims.proofs import proven_mobile
from services.requests.claims.schemas import ClaimCreate, ClaimRead

router = create_router("claims")


@router.post("/requests/claims", response_model=ClaimRead)
async def claim_request(
    body: ClaimCreate, caller: Resident, session: Session, request: Request
) -> Any:
    """认领窗口、电话或代办提交的申请：编号、查询码、身份证号都对，登录手机号与申请上的一致。

    一小时内同一账号、同一申请各只能试五次；认领留痕，本人可以查到。
    """
    verifier: TokenVerifier = request.app.state.verifier
    mobile = await proven_mobile(verifier.source, body.proof, caller.account_id)
    outcome = await service.claim(
        session, request.app.state.cipher, body=body, mobile=mobile, caller=caller
    )
    if isinstance(outcome, ServiceError):
        # Answered, not raised: raising would take back the counted try.
        return problem_response(outcome, str(request.scope.get("request_id", "")))
    return outcome
