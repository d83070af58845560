"""What a gap is, and a way to close one; pure."""

from dataclasses import dataclass
from enum import IntEnum

#: Figures that indicators need, as people call them.
FIGURES = {
    "households": "户数",
    "residents": "常住人口",
    "floor_area_m2": "社区总建筑面积",
    "workers": "社区工作者",
    "certified_workers": "持证的社区工作者",
    "social_organisations": "社区社会组织",
    "is_resettlement": "是否安置社区",
    "has_deliberation_list": "村级议事协商目录",
    "has_work_list": "工作事项清单",
    "has_assessment_list": "考核评比清单",
    "has_seal_list": "印章使用清单",
    "security_members": "治保会人数",
    "has_unified_forms": "填报表格的安排",
    "has_online_service": "24小时线上服务",
}


class Effort(IntEnum):
    """How much a way of closing a gap asks for; the least first."""

    record = 1  # 补录数据
    rearrange = 2  # 调整安排
    equip = 3  # 配备、设点
    reuse = 4  # 利用存量
    build = 5  # 新建、扩建


@dataclass(frozen=True, slots=True)
class Way:
    """One way to close a gap."""

    code: str
    effort: Effort
    words: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What is lacking, by how much, which indicators it holds down, and the cheapest way."""

    code: str
    indicators: tuple[str, ...]
    words: str
    way: Way
    short_by: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """A place of a village that is no centre in operation, and might become one."""

    name: str
    state: str
    is_centre: bool
    total_area_m2: float | None
    is_shared: bool
