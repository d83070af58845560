"""What a bundle says: its items, its questions, and which materials are one and the same."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from pydantic import StringConstraints as Constraints

from contracts.values import Channel
from services.catalogue.items.texts import Alias, Line, Name, Paragraph, Part

Slug = Annotated[str, Constraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class MemberItem(Part):
    """One item of a bundle; items of one stage are handled side by side (并联)."""

    item_id: UUID
    stage: Annotated[int, Field(ge=1, le=20)] = 1


class MaterialOf(Part):
    """A material by the code under which an item knows it."""

    item_id: UUID
    material_code: Slug


class SameMaterial(Part):
    """Materials that items know by different codes, and that are handed in once."""

    code: Slug
    name: Name
    members: Annotated[tuple[MaterialOf, ...], Field(min_length=2, max_length=30)]


class Option(Part):
    """An answer that can be chosen."""

    code: Slug
    text: Line


class Question(Part):
    """情形问题: one question, answered by one of its options."""

    code: Slug
    text: Line
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=20)]


class Condition(Part):
    """The question was answered by one of these options."""

    question: Slug
    any_of: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)]


class Rule(Part):
    """A line of the decision table: when all conditions hold, the item applies, because…"""

    item_id: UUID
    when: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=20)]
    because: Line


class BundleContent(Part):
    """Everything a published version of a bundle says."""

    name: Name
    aliases: Annotated[tuple[Alias, ...], Field(max_length=30)] = ()
    summary: Line
    source: Paragraph
    provisional: bool = False
    #: Code of a theme.
    theme: Slug | None = None
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    items: Annotated[tuple[MemberItem, ...], Field(min_length=2, max_length=30)]
    same_materials: Annotated[tuple[SameMaterial, ...], Field(max_length=100)] = ()
    questions: Annotated[tuple[Question, ...], Field(max_length=20)] = ()
    rules: Annotated[tuple[Rule, ...], Field(max_length=200)] = ()
