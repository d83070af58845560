"""Requests and answers about synonyms."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.catalogue.items.texts import Alias
from services.catalogue.words import fold


def _folded(word: str) -> str:
    folded = "".join(fold(word).split())
    if not folded:
        raise ValueError("请填写词语")
    return folded


#: As the index compares it: folded width and case, without spaces.
Word = Annotated[Alias, AfterValidator(_folded)]


class SynonymPut(BaseModel):
    """What a word means."""

    model_config = ConfigDict(extra="forbid")

    means: Annotated[tuple[Word, ...], Field(min_length=1, max_length=8)]


class SynonymRead(BaseModel):
    """A word and what it means to people of a division and below."""

    model_config = ConfigDict(from_attributes=True)

    division_code: str
    word: str
    means: list[str]
    version: int
    changed_by_name: str | None
    changed_at: datetime
