"""Claims as the API takes and answers them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.values import IdentityNumber


class ClaimCreate(BaseModel):
    """认领：凭受理单上的编号和查询码、本人身份证号和登录手机号的证明。"""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(min_length=10, max_length=60, description="申请编号或办件编号")]
    lookup_code: Annotated[str, Field(min_length=4, max_length=20, description="受理单上的查询码")]
    identity_number: IdentityNumber
    proof: Annotated[
        str, Field(min_length=20, max_length=4000, description="`POST /v1/me/proofs` 的 proof")
    ]


class ClaimRead(BaseModel):
    """认领的申请；今后在“我的申请”里，通知也会收到。"""

    request_id: UUID
    number: str
    claimed_as: Literal["applicant", "agent"]
