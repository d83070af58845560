"""Pure rules of bundles: the merged material list, the decision table, and what must not be said."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

#: From the strictest to the mildest: a material is as necessary as for whom it is most.
NECESSITIES = ("required", "deferrable", "waivable", "optional")


class _Condition(Protocol):
    @property
    def question(self) -> str: ...
    @property
    def any_of(self) -> Sequence[str]: ...


class _Rule(Protocol):
    @property
    def item_id(self) -> UUID: ...
    @property
    def when(self) -> Sequence[_Condition]: ...
    @property
    def because(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What a bundle needs to know of an item."""

    item_id: UUID
    item_code: str
    name: str
    division_code: str
    channels: frozenset[str]
    #: Materials and form as the item's published version says.
    materials: tuple[Mapping[str, Any], ...]
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MergedMaterial:
    """One material of the merged list, and the items that need it under their own codes."""

    code: str
    name: str
    necessity: str
    copies: int
    notes: tuple[str, ...]
    needed_by: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an item applies, and why; `applies` is None while an answer is missing."""

    item_id: UUID
    applies: bool | None
    because: str


#: (item, its material code) → (code, name) of the merged material.
Sameness = Mapping[tuple[UUID, str], tuple[str, str]]


def merge_materials(items: Iterable[ItemFacts], same: Sameness) -> list[MergedMaterial]:
    """Each material once, in the order in which the items first ask for it.

    Materials are one when the bundle says so, or when two items know them by the same code. The
    merged one is as necessary as for the item that needs it most, in as many copies as the item
    that wants most: one set of papers serves them all.
    """
    merged: dict[str, MergedMaterial] = {}
    for item in items:
        for material in item.materials:
            own = material["code"]
            code, name = same.get((item.item_id, own), (own, material["name"]))
            note = material.get("note")
            fresh = MergedMaterial(
                code=code,
                name=name,
                necessity=material["necessity"],
                copies=int(material.get("copies") or 0),
                notes=(note,) if note else (),
                needed_by=((item.item_id, own),),
            )
            known = merged.get(code)
            merged[code] = fresh if known is None else _joined(known, fresh)
    return list(merged.values())


def _joined(known: MergedMaterial, fresh: MergedMaterial) -> MergedMaterial:
    return MergedMaterial(
        code=known.code,
        name=known.name,
        necessity=min(known.necessity, fresh.necessity, key=NECESSITIES.index),
        copies=max(known.copies, fresh.copies),
        notes=tuple(dict.fromkeys((*known.notes, *fresh.notes))),
        needed_by=tuple(dict.fromkeys((*known.needed_by, *fresh.needed_by))),
    )


def decide(
    item_ids: Iterable[UUID], rules: Collection[_Rule], chosen: Mapping[str, str]
) -> list[Verdict]:
    """Read the decision table: which items apply, and why, with the answers given so far.

    An item without rules always applies. One with rules applies when all conditions of one of
    them hold; it does not when each of its rules has a condition that fails.
    """
    return [
        _verdict(item_id, [rule for rule in rules if rule.item_id == item_id], chosen)
        for item_id in item_ids
    ]


def _verdict(item_id: UUID, rules: Sequence[_Rule], chosen: Mapping[str, str]) -> Verdict:
    if not rules:
        return Verdict(item_id, True, "这件事里人人都要办")
    outcomes = [(_holds(rule, chosen), rule.because) for rule in rules]
    for outcome, because in outcomes:
        if outcome:
            return Verdict(item_id, True, because)
    if any(outcome is None for outcome, _ in outcomes):
        return Verdict(item_id, None, "还要再回答几个问题才知道")
    return Verdict(item_id, False, "按您的回答，不符合：" + "；".join(why for _, why in outcomes))


def _holds(rule: _Rule, chosen: Mapping[str, str]) -> bool | None:
    answered = [
        chosen[each.question] in each.any_of if each.question in chosen else None
        for each in rule.when
    ]
    if False in answered:
        return False
    return None if None in answered else True


def next_question(
    questions: Sequence[str], rules: Collection[_Rule], chosen: Mapping[str, str]
) -> str | None:
    """The first unanswered question that still decides something; None when all is decided."""
    open_rules = [rule for rule in rules if _holds(rule, chosen) is None]
    settled = {
        rule.item_id for rule in rules if _holds(rule, chosen)
    }  # one line that holds is enough for an item
    wanted = {
        each.question
        for rule in open_rules
        if rule.item_id not in settled
        for each in rule.when
        if each.question not in chosen
    }
    return next((code for code in questions if code in wanted), None)


def shared_fields(forms: Iterable[Mapping[str, Any]]) -> list[str]:
    """Form fields that several items ask for in exactly the same way: these are asked once."""
    schemas: dict[str, list[Any]] = {}
    for form in forms:
        for name, schema in form.get("properties", {}).items():
            schemas.setdefault(name, []).append(schema)
    return sorted(
        name
        for name, found in schemas.items()
        if len(found) > 1 and all(schema == found[0] for schema in found)
    )


def contradictions(rule: _Rule) -> Iterator[str]:
    """Questions of which one line of the table asks for two answers at once."""
    allowed: dict[str, set[str]] = {}
    for condition in rule.when:
        known = allowed.get(condition.question)
        options = set(condition.any_of)
        allowed[condition.question] = options if known is None else known & options
    yield from (question for question, options in allowed.items() if not options)
