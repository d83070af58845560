"""Changes of divisions as the API takes and shows them."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.values import DivisionCode
from services.facilities.changes.rules import SHAPES
from services.facilities.divisions.schemas import ChangeKind, ChangeRead, CommunityKind

_MOST = max(most for _, (_, most) in SHAPES.values())
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class DivisionAfter(BaseModel):
    """变更后的一个区划。"""

    model_config = ConfigDict(extra="forbid")

    code: DivisionCode
    name: Name | None = Field(default=None, description="新设和更名须填写；null：名称不变")
    parent_code: DivisionCode | None = Field(
        default=None, description="上级；不写按代码推定（不设区的市下的街道须写）"
    )
    community_kind: CommunityKind | None = Field(default=None, description="村或社区")


class ChangeWrite(BaseModel):
    """区划变更：设立、更名、合并、拆分、改代码、撤销。"""

    model_config = ConfigDict(extra="forbid")

    kind: ChangeKind
    effective_on: date = Field(description="生效日期；旧代码用到前一天")
    ordered_by: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=4, max_length=200)
    ] = Field(description="批准文件", examples=["晋政函〔2025〕31号"])
    before: list[DivisionCode] = Field(default=[], max_length=_MOST, description="变更前的代码")
    after: list[DivisionAfter] = Field(default=[], max_length=_MOST)


class ChangeRecorded(ChangeRead):
    """A recorded change and what it brought with it."""

    moved_facilities: int = Field(description="随之改挂到承接区划的设施")
    facilities_to_assign: int = Field(description="仍挂在已撤销代码下、需要人工指定区划的设施")
    warnings: list[str] = Field(description="代码编号与惯例不符之处，不影响登记")
