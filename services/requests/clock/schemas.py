"""Calendar years as the API shows and takes them."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.values import DivisionCode


class CalendarDayBody(BaseModel):
    """A day that breaks the weekly pattern."""

    day: date
    is_working: bool = Field(description="true: 调休上班；false: 放假")
    note: str = Field(default="", max_length=60)


class CalendarYearWrite(BaseModel):
    """A whole year; days that follow the weekly pattern are left out."""

    source: str = Field(min_length=4, max_length=200, description="依据，如国务院办公厅通知文号")
    provisional: bool = False
    days: list[CalendarDayBody] = Field(max_length=200)

    @model_validator(mode="after")
    def _days_once(self) -> Self:
        days = [entry.day for entry in self.days]
        if len(days) != len(set(days)):
            raise ValueError("同一天出现了两次")
        return self


class CalendarYearRead(CalendarYearWrite):
    """A recorded year."""

    year: int
    division_code: DivisionCode | None = Field(
        default=None, description="null：全国；否则为这个区划自己的安排，只列与全国不同的日子"
    )
    revision: int = Field(description="每次录入加一")


class ClockPolicyBody(BaseModel):
    """亮灯和督办期限，单位为工作日。"""

    model_config = ConfigDict(extra="forbid")

    yellow_days: int = Field(ge=0, le=60, description="剩余几个工作日起亮黄灯，含当日")
    reply_days: list[Annotated[int, Field(ge=1, le=30)]] = Field(
        min_length=1, max_length=5, description="督办逐级的回复期限"
    )
