"""Communities and their yearly figures as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.facilities.communities.rules import FIGURES, missing
from services.facilities.divisions.schemas import CommunityKind

Count = Annotated[int, Field(ge=0, le=10_000_000)]
#: Square metres, to the hundredth.
Area = Annotated[
    float,
    Field(ge=0, le=1_000_000_000, allow_inf_nan=False),
    AfterValidator(lambda area: round(area, 2)),
]
Year = Annotated[int, Field(ge=2000, le=2100)]


class Figures(BaseModel):
    """年度数据; null: 没有统计，不等于零."""

    households: Count | None = Field(default=None, description="户数")
    residents: Count | None = Field(default=None, description="常住人口")
    floor_area_m2: Area | None = Field(default=None, description="社区总建筑面积（平方米）")
    workers: Count | None = Field(default=None, description="社区工作者人数")
    certified_workers: Count | None = Field(
        default=None, description="持社会工作职业资格证书的人数"
    )
    social_organisations: Count | None = Field(default=None, description="社区社会组织数")
    is_resettlement: bool | None = Field(default=None, description="是否易地扶贫搬迁集中安置社区")
    has_deliberation_list: bool | None = Field(
        default=None, description="是否有村级议事协商目录（村）"
    )
    has_work_list: bool | None = Field(default=None, description="是否建立工作事项清单")
    has_assessment_list: bool | None = Field(
        default=None, description="是否建立综合考核评比项目清单"
    )
    has_seal_list: bool | None = Field(default=None, description="是否建立印章使用范围清单")
    security_members: Count | None = Field(default=None, description="治保会人数")
    has_unified_forms: bool | None = Field(
        default=None, description="填报表格是否由县级统一整合、年初一次性交由乡镇安排（村）"
    )
    has_online_service: bool | None = Field(
        default=None, description="群众关切项目是否有 24 小时线上服务"
    )
    source: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)
    ] = Field(description="数据来源", examples=["2026年村级统计年报"])


class FiguresWrite(Figures):
    """The whole of a year's figures; what is left out becomes missing."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        if (
            self.certified_workers is not None
            and self.workers is not None
            and self.certified_workers > self.workers
        ):
            raise ValueError("持证人数不能多于社区工作者人数")
        if len(missing(self.model_dump())) == len(FIGURES):
            raise ValueError("至少填写一项数据")
        return self


class FiguresRead(Figures):
    """The figures of one year; `missing` names what nobody has counted."""

    year: int
    version: int
    missing: list[str]
    recorded_at: datetime


class FiguresVersion(FiguresRead):
    """One version in the history, with who recorded it."""

    recorded_by_name: str | None


class CommunityEntry(BaseModel):
    """A community in a list, with its newest figures."""

    code: str
    name: str
    kind: CommunityKind
    path: str
    latest: FiguresRead | None = Field(description="最近一年的数据；null：从未统计")


class CommunityRead(CommunityEntry):
    """A community with every year on record."""

    years: list[int]
