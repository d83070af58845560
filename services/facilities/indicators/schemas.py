"""Indicators: the file of definitions, and how values, tables and charts are shown."""

from collections import Counter
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.values import DivisionCode, DivisionLevel
from services.facilities.facilities.schemas import Area
from services.facilities.indicators.rules import FORMULAS, Direction
from services.facilities.types.schemas import TypeCode

IndicatorCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{2,47}$")]
Unit = Literal[
    "ratio",
    "m2-per-100-households",
    "people-per-10000-residents",
    "organisations-per-community",
]
UNIT_NAMES: dict[str, str] = {
    "ratio": "%",
    "m2-per-100-households": "平方米/百户",
    "people-per-10000-residents": "人/万人",
    "organisations-per-community": "个/社区",
}


class Mark(BaseModel):
    """A base or target value, with the region and the year it belongs to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: DivisionCode | None = Field(description="null：全国")
    region_name: str
    year: int = Field(ge=2000, le=2100)
    value: float
    source: str = Field(min_length=4)


class Definition(BaseModel):
    """What an indicator is."""

    model_config = ConfigDict(extra="forbid")

    code: IndicatorCode
    name: str
    formula: str | None = Field(description="公式编号；null：不由设施数据计算")
    unit: Unit
    direction: Direction = Field(
        default=Direction.at_least,  # of definitions that were loaded before there was another
        description="at-least 越高越好，目标是下限；at-most 越低越好，目标是上限",
    )
    attribute: Literal["anticipated", "binding"] | None = Field(
        description="anticipated 预期性，binding 约束性，null 原文没有写"
    )
    bases: list[Mark]
    targets: list[Mark]
    note: str | None = None
    reason: str | None = Field(default=None, description="为什么不在这里计算")
    source: str = Field(min_length=4)

    @model_validator(mode="after")
    def _computable(self) -> Self:
        if self.formula is not None and self.formula not in FORMULAS:
            raise ValueError(f"没有公式 {self.formula}")
        if (self.formula is None) != (self.reason is not None):
            raise ValueError("没有公式的写明原因，有公式的不写")
        return self


class Definitions(BaseModel):
    """The file data/facilities/indicators.yaml."""

    model_config = ConfigDict(extra="forbid")

    indicators: list[Definition] = Field(min_length=1)

    @model_validator(mode="after")
    def _codes_once(self) -> Self:
        counts = Counter(one.code for one in self.indicators)
        twice = [code for code, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"写了两次：{'、'.join(twice)}")
        return self


class DefinitionRead(Definition):
    """A definition with its formula spelled out in names of measures."""

    numerator: str | None
    denominator: str | None
    factor: float | None


class Value(BaseModel):
    """An indicator of a division now."""

    indicator: str
    name: str
    unit: Unit
    numerator: float
    denominator: float
    value: float | None = Field(description="null：没有可以计算的数据")
    missing: int = Field(description="因缺少数据而没有计入的村（社区）数")
    base: Mark | None
    target: Mark | None
    is_met: bool | None


class DivisionValues(BaseModel):
    """Every indicator of one division, or of the country."""

    division_code: str | None
    division_path: str
    #: Figures are of the newest year each community has.
    oldest_figures: int | None
    newest_figures: int | None
    values: list[Value]


class Cell(BaseModel):
    """One indicator of one division in a table."""

    numerator: float
    denominator: float
    value: float | None
    missing: int
    is_met: bool | None


class Row(BaseModel):
    """The indicators of one division."""

    division_code: str | None
    name: str
    cells: dict[str, Cell]


class IndicatorTable(BaseModel):
    """Divisions of one level by indicator, with the sum of all of them on the first page."""

    within: str | None
    level: DivisionLevel
    total: Row | None
    items: list[Row]
    next: str | None


class MonthValue(BaseModel):
    """An indicator as it stood at a month's end; the present month as it stands."""

    month: date
    numerator: float
    denominator: float
    value: float | None
    missing: int
    recorded_at: datetime | None = Field(
        default=None, description="何时算出；村（社区）只留变化，按月推得，为空"
    )


class Series(BaseModel):
    """One line or row of bars; a null is a gap, not a zero."""

    name: str
    values: list[float | None]


class Chart(BaseModel):
    """What a front end draws: categories on one axis, series, and lines across."""

    kind: Literal["line", "bar"]
    title: str
    unit: str
    categories: list[str]
    series: list[Series]
    base: Mark | None
    target: Mark | None


class History(BaseModel):
    """An indicator of a division by month, and the same as a chart."""

    indicator: str
    division_code: str
    months: list[MonthValue]
    chart: Chart


class PlacePlan(BaseModel):
    """A place that is only thought of."""

    model_config = ConfigDict(extra="forbid")

    facility_type: TypeCode
    total_area_m2: Area | None = None
    activity_area_m2: Area | None = None

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        if self.activity_area_m2 is not None and (
            self.total_area_m2 is None or self.activity_area_m2 > self.total_area_m2
        ):
            raise ValueError("居民活动区域面积不能大于总建筑面积")
        return self


class WhatIf(BaseModel):
    """假如在一个村（社区）增加这些设施."""

    model_config = ConfigDict(extra="forbid")

    division_code: DivisionCode = Field(description="村（社区）的区划代码")
    add: list[PlacePlan] = Field(min_length=1, max_length=20)


class Move(BaseModel):
    """An indicator before and after."""

    indicator: str
    name: str
    unit: Unit
    before: float | None
    after: float | None
    was_met: bool | None
    is_met: bool | None


class DivisionMoves(BaseModel):
    """The indicators of a division that would move."""

    division_code: str
    name: str
    moves: list[Move]


class WhatIfAnswer(BaseModel):
    """From the village upwards; nothing was written."""

    divisions: list[DivisionMoves]
