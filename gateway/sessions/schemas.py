"""Bodies of sign-in, refresh and their answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from gateway.accounts.schemas import AccountRead
from gateway.codes.schemas import Phone, as_typed

Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), BeforeValidator(as_typed)]


class ResidentSignIn(BaseModel):
    """A telephone number and the code that was sent to it."""

    model_config = ConfigDict(extra="forbid")

    phone: Phone = Field(examples=["13700000000"])
    code: Code = Field(examples=["204817"])


class TokenRefresh(BaseModel):
    """The refresh token of the last answer."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: Annotated[str, StringConstraints(min_length=20, max_length=200)]


class TokenPair(BaseModel):
    """What a client keeps: one token to call with, one to get the next pair with."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int = Field(description="access_token 有效时间，秒", examples=[600])
    refresh_token: str = Field(description="只能用一次，每次刷新都会换新的")


class SignedInRead(TokenPair):
    """Tokens and whose they are."""

    account: AccountRead
