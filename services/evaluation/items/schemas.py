"""Items as they are rated, and how they are chosen."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from contracts.values import DepartmentCode, DivisionCode, RatingLevel
from servicekit.paging import DEFAULT_LIMIT, After, Limit

ItemStatus = Literal["published", "paused", "retired"]
#: 供给类别 and 事项类别 of the catalogue, by their names there.
_Word = Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,63}$")]


class ItemFilter(BaseModel):
    """Which items; what is not given does not restrict."""

    division: DivisionCode | None = Field(
        None, description="在这个区域能办的：由本级、上级或下级提供"
    )
    category: _Word | None = Field(None, description="供给类别，如 social-services")
    department: DepartmentCode | None = Field(None, description="实施部门，如 civil-affairs")
    kind: _Word | None = Field(None, description="事项类别，如 government-service")
    status: ItemStatus | None = Field(
        None, description="不填时含可办理和暂停的；已取消的须指明 retired"
    )


class ItemQuery(ItemFilter):
    """Which items, and which page of them."""

    after: After = None
    limit: Limit = DEFAULT_LIMIT


Asked = Annotated[ItemQuery, Query()]


class RatedItem(BaseModel):
    """事项评价: an item by the name it has now, with what residents think of it."""

    item_id: UUID
    item_code: str
    name: str
    version: int = Field(description="现行版本")
    status: ItemStatus
    item_kind: str
    supply_category: str
    department: str
    division_code: str
    counts: dict[RatingLevel, int] = Field(description="现行评价：有追评的以追评为准")
    rated: int
    satisfaction_ratio: float | None = Field(description="好评率，0 到 1；无评价时为空")
    average_stars: float | None = Field(description="平均星级，1 到 5；无评价时为空")
    bad_first: int = Field(description="首次评价中的差评数，整改后也不减少")
    rectified_ratio: float | None = Field(description="差评整改率：已解决销号的占整改数")
    satisfaction_floor: float | None = Field(
        description="排序依据：好评率 95% 置信区间（Wilson）的下限；无评价时为空，排在最后"
    )
