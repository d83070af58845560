"""What an item may not say otherwise than the entry of the basic catalogue it is based on.

Source: the elements unified across the country by 政务服务事项标准化 (事项名称, 事项类型, 设定依据 and
the levels at which it is exercised); the code is how the two are tied.
"""

from collections.abc import Iterator

from services.catalogue.basics.content import BasicContent
from services.catalogue.items.content import ItemContent
from services.catalogue.items.elements import Tier
from services.catalogue.items.violation import Violation


def unified_violations(content: ItemContent, entry: BasicContent) -> Iterator[Violation]:
    """Every element of an item that differs from its entry's."""
    elements = content.elements
    remedy = "按基本目录更正，或核对基本编码"
    is_whole = elements is None or elements.tier is Tier.implementation
    if is_whole and content.name != entry.name:
        yield Violation("/name", "unified-name", f"基本目录里的事项名称是“{entry.name}”", remedy)
    if content.task_type != entry.task_type:
        yield Violation(
            "/task_type", "unified-type", f"基本目录里的事项类型是 {entry.task_type}", remedy
        )
    if entry.levels and content.level not in entry.levels:
        levels = "、".join(entry.levels)
        yield Violation("/level", "unified-level", f"基本目录里的行使层级是 {levels}", remedy)
    if entry.basis and elements is not None and elements.basis not in (None, entry.basis):
        yield Violation("/elements/basis", "unified-basis", "设定依据与基本目录不一致", remedy)
