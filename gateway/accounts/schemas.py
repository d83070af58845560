"""An account as its holder sees it."""

from uuid import UUID

from pydantic import BaseModel, Field

from gateway.models import AccountKind


class AccountRead(BaseModel):
    """Who is signed in."""

    id: UUID
    kind: AccountKind
    display_name: str | None = Field(description="工作人员姓名")
    phone: str | None = Field(description="居民手机号，中间四位隐藏", examples=["137****0000"])


class Me(AccountRead):
    """Who is signed in, and what this sign-in may do."""

    roles: list[str]
    division: str | None = Field(description="工作人员负责的区划，12 位代码")
    department: str | None
    unit: str | None
    session_id: str


class Proof(BaseModel):
    """What the sign-in has proven, signed, to be handed to a service soon."""

    proof: str = Field(description="身份证明，只证明登录的手机号；不能当作令牌使用")
    expires_in: int = Field(description="秒")
