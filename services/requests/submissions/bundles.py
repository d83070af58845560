"""高效办成一件事: one application held against its bundle, and what is said once spread over its items."""

from collections.abc import Iterator, Mapping
from datetime import date
from uuid import UUID

from contracts.catalogue import BundleState
from contracts.values import division_covers
from servicekit.errors import Conflict, Invalid, NotFound
from services.requests.reference.service import Item, Reference
from services.requests.submissions.schemas import (
    BundleBody,
    ItemBody,
    MaterialWithFiles,
    RequestCreate,
)


class BundleUnknown(NotFound):
    code, title = "bundle-unknown", "没有这件事"


class BundleNotOpen(Conflict):
    code, title = "bundle-not-open", "这件事目前不能一起办理，可以分别办理其中的事项"


class BundleNotOffered(Invalid):
    code, title = "bundle-not-offered-here", "这件事不在您所在的地方办理"


def find_bundle(reference: Reference, body: RequestCreate, today: date) -> BundleState | None:
    """The bundle an application is handed in as; None when it is none.

    Raises:
        BundleUnknown, BundleNotOpen, BundleNotOffered.
    """
    if body.bundle is None:
        return None
    bundle = reference.find_bundle(body.bundle.code, body.division_code)
    if bundle is None:
        raise BundleUnknown(f"没有编码为 {body.bundle.code} 的一件事")
    if not bundle.is_open or bundle.state.effective_on > today:
        raise BundleNotOpen
    if not division_covers(bundle.state.division_code, body.division_code):
        raise BundleNotOffered
    return bundle.state


#: Path, words, kind.
Violation = tuple[str, str, str]


def bundle_violations(bundle: BundleState, body: RequestCreate) -> Iterator[Violation]:
    """Everything in which an application is not the bundle."""
    assert body.bundle is not None
    if body.channel not in bundle.channels:
        yield "/channel", f"{bundle.name}不能从这个渠道办理", "channel"
    yield from _said_once(bundle, body.bundle)
    yield from _items(bundle, body.bundle, [entry.item_code for entry in body.items])


def _said_once(bundle: BundleState, asked: BundleBody) -> Iterator[Violation]:
    options = {each.code: {one.code for one in each.options} for each in bundle.questions}
    for question, option in asked.chosen.items():
        if option not in options.get(question, ()):
            yield f"/bundle/chosen/{question}", "没有这个选项", "unknown-option"
    known = {material.code for material in bundle.materials}
    for position, material in enumerate(asked.materials):
        if material.code not in known:
            yield f"/bundle/materials/{position}", "这件事不需要这份材料", "unknown-material"
    for name in asked.shared:
        if name not in bundle.shared_fields:
            yield f"/bundle/shared/{name}", "不是各事项共有的字段", "unknown-field"


def _items(bundle: BundleState, asked: BundleBody, handed_in: list[str]) -> Iterator[Violation]:
    if len(set(handed_in)) < len(handed_in):
        yield "/items", "同一个事项出现了两次", "twice"
    verdicts = {one.item_code: applies(bundle, one.item_id, asked.chosen) for one in bundle.items}
    for item in bundle.items:
        verdict = verdicts[item.item_code]
        if verdict is None:
            yield "/bundle/chosen", f"还要再回答几个问题，才知道要不要办{item.name}", "undecided"
        elif verdict and item.item_code not in handed_in:
            yield "/items", f"按您的回答还要办{item.name}", "missing-item"
    for position, code in enumerate(handed_in):
        if code not in verdicts:
            yield f"/items/{position}", f"{bundle.name}里没有这个事项", "unknown-item"
        elif verdicts[code] is False:
            yield f"/items/{position}", "按您的回答不需要办这个事项", "not-applicable"


def applies(bundle: BundleState, item_id: UUID, chosen: Mapping[str, str]) -> bool | None:
    """Whether an item applies with these answers; None while one is missing.

    Without rules always; else when all conditions of one of its rules hold.
    """
    rules = [rule for rule in bundle.rules if rule.item_id == item_id]
    held: list[bool | None] = []
    for rule in rules:
        answered = [
            chosen[each.question] in each.any_of if each.question in chosen else None
            for each in rule.when
        ]
        held.append(False if False in answered else None if None in answered else True)
    if not rules or True in held:
        return True
    return None if None in held else False


def spread(bundle: BundleState, body: RequestCreate, reference: Reference) -> RequestCreate:
    """The application with what was said once at every item that asks for it.

    What an item says itself stands; a material goes to each item under the item's own code.
    """
    asked = body.bundle
    assert asked is not None
    ids = {item.item_code: item.item_id for item in bundle.items}
    items = [
        _spread_to(
            entry,
            reference.find_item(entry.item_code, body.division_code),
            ids.get(entry.item_code),
            bundle,
            asked,
        )
        for entry in body.items
    ]
    return body.model_copy(update={"items": items})


def _spread_to(
    entry: ItemBody,
    item: Item | None,
    item_id: UUID | None,
    bundle: BundleState,
    asked: BundleBody,
) -> ItemBody:
    if item is None or item_id is None:
        return entry
    fields = item.state.form.get("properties", {})
    shared = {name: value for name, value in asked.shared.items() if name in fields}
    own = {material.code for material in entry.materials}
    codes = {
        merged.code: [need.material_code for need in merged.needed_by if need.item_id == item_id]
        for merged in bundle.materials
    }
    more: list[MaterialWithFiles] = [
        material.model_copy(update={"code": code})
        for material in asked.materials
        for code in codes.get(material.code, ())
        if code not in own
    ]
    return entry.model_copy(
        update={"answers": shared | entry.answers, "materials": [*entry.materials, *more]}
    )
