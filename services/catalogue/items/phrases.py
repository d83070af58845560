"""Texts that look like one and say nothing.

Source: the empty-phrase check used in audits of implementation lists (实施清单).
"""

from collections.abc import Iterator

from services.catalogue.items.content import ItemContent
from services.catalogue.items.elements import Elements
from services.catalogue.items.violation import Violation

#: Phrases that look like a text and say nothing.
EMPTY_PHRASES = (
    "按规定执行", "按有关规定", "按相关规定", "详见", "相关材料", "相关证明", "以实际为准", "暂无",
)  # fmt: skip
EMPTY_TEXTS = frozenset({"其他", "其它", "无", "略", "同上", "/", "-", "—"})

_MATERIAL_TEXTS = ("note", "source_note", "basis", "how_to_fill", "acceptance")
_ELEMENT_TEXTS = (
    "basis", "special_procedure_note", "accept_conditions", "quota", "statutory_note",
    "promised_note", "result_sample", "rights", "duties", "reconsideration", "litigation",
)  # fmt: skip


def phrase_violations(content: ItemContent) -> Iterator[Violation]:
    """Every text of an item that says nothing."""
    for path, text in _texts_of(content):
        found = next((phrase for phrase in EMPTY_PHRASES if phrase in text), None)
        if found is None and text in EMPTY_TEXTS:
            found = text
        if found is not None:
            yield Violation(
                path,
                "says-nothing",
                f"“{found}”没有说明任何内容",
                "写清楚具体的要求、材料或依据；确实没有的，删去这一项",
            )


def _texts_of(content: ItemContent) -> Iterator[tuple[str, str]]:
    yield "/name", content.name
    yield "/summary", content.summary
    yield from ((f"/aliases/{n}", alias) for n, alias in enumerate(content.aliases))
    if content.visit_reason is not None:
        yield "/visit_reason", content.visit_reason
    yield "/result/name", content.result.name
    if content.fee.basis is not None:
        yield "/fee/basis", content.fee.basis
    for n, entry in enumerate(content.fee.entries):
        yield f"/fee/entries/{n}/name", entry.name
        yield f"/fee/entries/{n}/standard", entry.standard
    for n, material in enumerate(content.materials):
        yield f"/materials/{n}/name", material.name
        for field in _MATERIAL_TEXTS:
            text = getattr(material, field)
            if text is not None:
                yield f"/materials/{n}/{field}", text
    for n, question in enumerate(content.questions):
        yield f"/questions/{n}/question", question.question
        yield f"/questions/{n}/answer", question.answer
    if content.elements is not None:
        yield from _texts_of_elements(content.elements)


def _texts_of_elements(elements: Elements) -> Iterator[tuple[str, str]]:
    for field in _ELEMENT_TEXTS:
        text = getattr(elements, field)
        if text is not None:
            yield f"/elements/{field}", text
    for n, step in enumerate(elements.steps):
        yield f"/elements/steps/{n}/name", step.name
        if step.explanation is not None:
            yield f"/elements/steps/{n}/explanation", step.explanation
    for n, place in enumerate(elements.places):
        yield f"/elements/places/{n}/address", place.address
        yield f"/elements/places/{n}/hours", place.hours
