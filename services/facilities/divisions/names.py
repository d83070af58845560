"""Finding a division by its name path: 山西省运城市盐湖区…, whole or shortened, with or without /.

Pure: which names a text may begin with, and what is left of it.
"""

import re
from collections.abc import Collection, Iterable

from contracts.values import DivisionLevel

#: Endings that people leave out, longest first.
_ENDINGS = {
    DivisionLevel.province: ("维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "市"),
    DivisionLevel.city: ("自治州", "地区", "市", "盟"),
    DivisionLevel.county: ("自治县", "自治旗", "市", "区", "县", "旗"),
    DivisionLevel.township: ("街道办事处", "办事处", "街道", "民族乡", "镇", "乡", "苏木"),
    DivisionLevel.community: (
        "社区居民委员会",
        "社区居委会",
        "村民委员会",
        "居民委员会",
        "村委会",
        "居委会",
        "社区",
        "村",
    ),
}
#: Nodes that exist in the codes and in nobody's address.
_TRANSPARENT = re.compile(r"市辖区|县|.*直辖县级行政区划")
_SHORTEST = 2
_SEPARATORS = re.compile(r"[\s/／,，>·-]+")


def folded(text: str) -> str:
    """A name path without what separates its parts."""
    return _SEPARATORS.sub("", text)


def is_transparent(name: str) -> bool:
    """Whether addresses leave this node out: 市辖区 and the like."""
    return _TRANSPARENT.fullmatch(name) is not None


def forms(name: str, level: str) -> list[str]:
    """How a name may be written, longest first: 解州镇, 解州; 常平村委会, 常平村, 常平."""
    found = {name}
    endings = _ENDINGS[DivisionLevel(level)]
    for ending in endings:
        stem = name.removesuffix(ending)
        if stem != name and len(stem) >= _SHORTEST:
            found.add(stem)
            if level == DivisionLevel.community:
                found |= {stem + other for other in ("村", "社区") if ending != other}
    return sorted(found, key=len, reverse=True)


def rest_after(text: str, names: Iterable[str], level: str) -> str | None:
    """What is left of a text that begins with a division's name; None when it does not.

    The longest form wins. `names`: today's, and those it had before.
    """
    candidates: Collection[str] = {form for name in names for form in forms(name, level)}
    matching = [form for form in candidates if text.startswith(form)]
    return text[len(max(matching, key=len)) :] if matching else None
