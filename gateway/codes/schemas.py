"""Bodies of the sign-in code endpoint."""

import re
import unicodedata
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.values import MobileNumber

_COUNTRY = re.compile(r"^(?:\+|00)86")
_FILLING = re.compile(r"[\s-]")


def as_typed(value: object) -> object:
    """Full-width digits, as Chinese keyboards give them, are digits; other scripts' are not."""
    if not isinstance(value, str):
        return value
    value = _FILLING.sub("", unicodedata.normalize("NFKC", value))
    if not value.isascii():
        raise ValueError("请只填写数字")
    return value


def _without_country(value: object) -> object:
    return _COUNTRY.sub("", value) if isinstance(value, str) else value


#: `+86 137-0000-0000`, as telephones write it, is the 11 digits.
Phone = Annotated[MobileNumber, BeforeValidator(_without_country), BeforeValidator(as_typed)]


class CodeCreate(BaseModel):
    """Where to send a code."""

    model_config = ConfigDict(extra="forbid")

    phone: Phone = Field(examples=["13700000000"])


class CodeSent(BaseModel):
    """A code is on its way, or would be: the answer is the same for every number."""

    expires_in: int = Field(description="验证码有效时间，秒", examples=[300])
    resend_after: int = Field(description="多久以后可以重新获取，秒", examples=[60])
