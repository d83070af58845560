"""Limits of a division as the API takes and shows them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class LimitsWrite(BaseModel):
    """Limits of a division and those below it, in working days."""

    model_config = ConfigDict(extra="forbid")

    rectification_days: int = Field(ge=1, le=60, description="差评到反馈")
    warn_days: int = Field(ge=0, le=30, description="期满前几个工作日起亮黄灯")
    fix_by_days: int = Field(ge=1, le=250, description="限期整改最长")
    extension_days: int = Field(ge=1, le=60, description="每次延期最长")
    extensions: int = Field(ge=0, le=5, description="最多延期次数")
    call_back_within_days: int = Field(ge=1, le=60, description="反馈后多少个工作日内回访")
    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=200)]

    @model_validator(mode="after")
    def _warns_within(self) -> "LimitsWrite":
        if self.warn_days >= self.rectification_days:
            raise ValueError("黄灯应在期限之内")
        return self


class LimitsRead(BaseModel):
    """The limits that hold in a division, and who set them."""

    division_code: str
    set_by: str | None = Field(description="设定的区划；空为系统默认（暂定）")
    version: int
    rectification_days: int
    warn_days: int
    fix_by_days: int
    extension_days: int
    extensions: int
    call_back_within_days: int
    source: str
