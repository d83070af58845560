"""Parts of a facility's record that are forms of their own."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.values import Uscc

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
#: Landline with area code, mobile, or a short or service number.
Phone = Annotated[
    str,
    StringConstraints(
        pattern=r"^(0[0-9]{2,3}-?[0-9]{7,8}|1[3-9][0-9]{9}|[0-9]{3,6}|[48]00[0-9]{7})$"
    ),
]
#: Plates that may hang outside, or one that is neither.
PlateKind = Literal[
    "party-organisation",
    "village-committee",
    "collective-economy",
    "supervision-committee",
    "party-mass-service-centre",
    "civilisation-practice-station",
    "community-name",
    "china-community",
    "other",
]


class Accessibility(BaseModel):
    """无障碍与适老适儿; null: 不清楚."""

    model_config = ConfigDict(extra="forbid")

    ramp: bool | None = Field(default=None, description="坡道")
    accessible_toilet: bool | None = Field(default=None, description="无障碍卫生间")
    tactile_paving: bool | None = Field(default=None, description="盲道")
    lift: bool | None = Field(default=None, description="电梯")
    low_counter: bool | None = Field(default=None, description="低位窗口")
    elder_friendly: bool | None = Field(default=None, description="适老化改造")
    child_friendly: bool | None = Field(default=None, description="适儿化改造")


AccessFeature = Literal[
    "ramp",
    "accessible_toilet",
    "tactile_paving",
    "lift",
    "low_counter",
    "elder_friendly",
    "child_friendly",
]


class Contact(BaseModel):
    """岗位联系方式: a post and its telephone; people are not named in public records."""

    model_config = ConfigDict(extra="forbid")

    post: Text = Field(examples=["服务大厅咨询台"])
    phone: Phone


class Plate(BaseModel):
    """外部悬挂的一块标牌或标识。"""

    model_config = ConfigDict(extra="forbid")

    kind: PlateKind
    text: Text


class Signage(BaseModel):
    """标牌标识: what was seen on a day."""

    model_config = ConfigDict(extra="forbid")

    checked_on: date
    outside: list[Plate] = Field(max_length=60, description="外部悬挂的全部标牌和标识")
    has_service_plate: bool | None = Field(default=None, description="内部综合服务机构标牌")
    has_guide_plate: bool | None = Field(default=None, description="大厅集合式服务功能指引标牌")
    has_area_plates: bool | None = Field(default=None, description="各功能区域入口的简明标牌")


class Sharing(BaseModel):
    """驻区单位共享资源: a place of an organisation that residents may use."""

    model_config = ConfigDict(extra="forbid")

    organisation: Text = Field(description="提供场地的单位")
    uscc: Uscc | None = Field(default=None, description="统一社会信用代码")
    terms: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
    until: date | None = Field(default=None, description="约定到期日")


class Stock(BaseModel):
    """一种应急物资。"""

    model_config = ConfigDict(extra="forbid")

    name: Text
    quantity: float = Field(gt=0, le=10_000_000, allow_inf_nan=False)
    unit: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10)]
    expires_on: date | None = None


class Emergency(BaseModel):
    """应急避难场所和救援点: whom it takes in and what is kept."""

    model_config = ConfigDict(extra="forbid")

    capacity_persons: int | None = Field(default=None, ge=0, le=1_000_000, description="可容纳人数")
    shelter_area_m2: float | None = Field(default=None, ge=0, le=10_000_000, allow_inf_nan=False)
    stock: list[Stock] = Field(default=[], max_length=100)
    stock_checked_on: date | None = Field(default=None, description="物资最近一次清点日期")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [(entry.name, entry.expires_on) for entry in self.stock]
        if len(names) != len(set(names)):
            raise ValueError("同一种物资、同一有效期只写一行")
        return self
