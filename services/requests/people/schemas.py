"""Searches for a person as the API takes and answers them."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.values import DivisionCode, IdentityNumber, MobileNumber
from services.requests.submissions.schemas import CaseBrief


class PersonSearch(BaseModel):
    """按身份证号或手机号查一个人的申请；两者填一个。"""

    model_config = ConfigDict(extra="forbid")

    identity_number: IdentityNumber | None = None
    mobile: MobileNumber | None = None
    reason: str = Field(min_length=4, max_length=200, description="查询理由，本人可以看到")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.identity_number is None) == (self.mobile is None):
            raise ValueError("身份证号和手机号填一个")
        return self


class FoundRequest(BaseModel):
    """查到的一次申请；个人信息是遮盖的。"""

    id: UUID
    number: str
    division_code: DivisionCode
    submitted_at: datetime
    found_as: Literal["applicant", "agent"]
    applicant_name: str
    applicant_mobile: str
    cases: list[CaseBrief]


class FoundRequests(BaseModel):
    items: list[FoundRequest]
    more: bool = Field(description="还有更早的没有列出")
