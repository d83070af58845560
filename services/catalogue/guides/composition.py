"""How a guide is put together from what an item says: the same facts, in full or in plain words."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal

from contracts.values import TimeUnit
from services.catalogue.codes.tables import label
from services.catalogue.guides.schemas import (
    GuideChoice,
    GuideMaterial,
    GuideSection,
    GuideSituation,
)
from services.catalogue.items.content import ItemContent, ItemMaterial
from services.catalogue.items.elements import Elements

Mode = Literal["full", "elder"]
_UNITS = {TimeUnit.working_days: "个工作日", TimeUnit.calendar_days: "天"}
#: What an older reader needs to know of a material.
_PLAIN_NECESSITY = {
    "required": "要带",
    "optional": "有就带，没有也能办",
    "deferrable": "可以以后补",
    "waivable": "不用带，工作人员在网上查",
}


def wanted(content: ItemContent, chosen: Collection[str]) -> list[ItemMaterial]:
    """The materials wanted under the chosen situations; with none chosen, all of them."""
    return [
        material
        for material in content.materials
        if not material.when or not chosen or set(material.when) & set(chosen)
    ]


def materials(content: ItemContent, chosen: Collection[str]) -> list[GuideMaterial]:
    """The same in words."""
    return [
        GuideMaterial(
            name=each.name,
            necessity=label("necessity", each.necessity),
            source=each.source_note or label("material-source", each.source),
            form=label("material-form", each.form),
            copies=each.copies,
            note=each.note,
            how_to_fill=each.how_to_fill,
        )
        for each in wanted(content, chosen)
    ]


def situations(content: ItemContent, chosen: Collection[str]) -> list[GuideSituation]:
    """The questions that decide on materials, with the answers given."""
    return [
        GuideSituation(
            question=each.question,
            choices=[
                GuideChoice(key=choice.key, name=choice.name, chosen=choice.key in chosen)
                for choice in each.choices
            ],
        )
        for each in content.situations
    ]


def sections(content: ItemContent, mode: Mode, chosen: Collection[str]) -> list[GuideSection]:
    """Everything else, under headings; nothing is said of what the item says nothing of."""
    elements = content.elements or Elements()
    parts = _plain(content, elements, chosen) if mode == "elder" else _full(content, elements)
    found = ((heading, [line for line in lines if line]) for heading, lines in parts)
    return [GuideSection(heading=heading, lines=lines) for heading, lines in found if lines]


def time_needed(content: ItemContent) -> str:
    """How long it takes, as promised."""
    limits = content.limits
    if limits.promised_days == 0:
        return "当场办结"
    return f"{limits.promised_days} {_UNITS[limits.promised_unit]}内办结"


def cost(content: ItemContent) -> str:
    """What it costs."""
    if not content.fee.charged:
        return "不收费"
    return "；".join(f"{entry.name}：{entry.standard}" for entry in content.fee.entries)


def _plain(
    content: ItemContent, elements: Elements, chosen: Collection[str]
) -> Iterator[tuple[str, Iterable[str]]]:
    yield "这是什么", [content.summary]
    yield "谁能办", [elements.accept_conditions or _people(content)]
    yield (
        "带什么",
        [f"{each.name}：{_PLAIN_NECESSITY[each.necessity]}" for each in wanted(content, chosen)]
        or ["什么都不用带"],
    )
    yield (
        "去哪里办",
        [
            *(f"{place.address}，{place.hours}" for place in elements.places),
            f"可以：{_channels(content)}",
        ],
    )
    yield "要跑几趟", ["一趟都不用跑" if content.visits == 0 else f"最多跑 {content.visits} 趟"]
    if content.agent_service:
        yield "走不动怎么办", ["可以请代办员上门帮您办"]
    yield "多久办好", [time_needed(content)]
    yield "要不要钱", ["不要钱" if not content.fee.charged else cost(content)]
    yield "不明白问谁", [f"打电话 {number}" for number in elements.consult_telephones]


def _full(content: ItemContent, elements: Elements) -> Iterator[tuple[str, Iterable[str]]]:
    body = elements.body
    yield "实施主体", [body.name if body else ""]
    yield "设定依据", [elements.basis or ""]
    yield "服务对象", [_people(content)]
    yield "受理条件", [elements.accept_conditions or ""]
    yield (
        "办理方式",
        [
            f"渠道：{_channels(content)}",
            "24 小时受理" if content.around_the_clock else "",
            f"到现场次数：{content.visits}"
            + (f"（{content.visit_reason}）" if content.visit_reason else ""),
            f"通办范围：{label('handling-area', elements.handling_area)}"
            if elements.handling_area
            else "",
        ],
    )
    yield (
        "办理流程",
        [
            f"{n}. {step.name}" + (f"：{step.explanation}" if step.explanation else "")
            for n, step in enumerate(elements.steps, 1)
        ],
    )
    yield (
        "办理时限",
        [f"承诺：{time_needed(content)}", _statutory(content), elements.promised_note or ""],
    )
    yield "收费", [cost(content), content.fee.basis or ""]
    yield "办理结果", [content.result.name]
    yield (
        "办理地点和时间",
        [
            "，".join(filter(None, (place.name, place.address, place.hours, place.directions)))
            for place in elements.places
        ],
    )
    yield "咨询", ["、".join(elements.consult_telephones)]
    yield "监督投诉", ["、".join(elements.complaint_telephones)]
    yield "权利和义务", [elements.rights or "", elements.duties or ""]
    yield "复议和诉讼", [elements.reconsideration or "", elements.litigation or ""]
    yield (
        "常见问题",
        [
            line
            for each in content.questions
            for line in (f"问：{each.question}", f"答：{each.answer}")
        ],
    )


def _statutory(content: ItemContent) -> str:
    limits = content.limits
    if limits.statutory_days is None or limits.statutory_unit is None:
        return ""
    return f"法定：{limits.statutory_days} {_UNITS[limits.statutory_unit]}"


def _people(content: ItemContent) -> str:
    objects = "、".join(label("service-object", each) for each in content.service_objects)
    audiences = "、".join(label("audience", each) for each in content.audiences)
    return f"{objects}（{audiences}）" if audiences else objects


def _channels(content: ItemContent) -> str:
    return "、".join(label("channel", each) for each in content.channels)


def rows_of(found: list[GuideMaterial]) -> list[list[Any]]:
    """Materials as the rows of a printed table."""
    return [
        [str(n), each.name, each.necessity, each.form, str(each.copies), each.note or ""]
        for n, each in enumerate(found, 1)
    ]
