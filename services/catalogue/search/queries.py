"""What somebody typed, as it is compared."""

from dataclasses import dataclass
from typing import Self

from services.catalogue.words import fold

MAX_QUERY = 50


@dataclass(frozen=True, slots=True)
class Query:
    """Folded words, and the same run together: people put spaces where names have none."""

    terms: tuple[str, ...]
    text: str

    @classmethod
    def parse(cls, typed: str) -> Self:
        """Read what was typed; `text` is empty when nothing is left of it."""
        terms = tuple("".join(filter(str.isprintable, fold(typed[:MAX_QUERY]))).split())
        return cls(terms, "".join(terms))

    @property
    def is_letters(self) -> bool:
        """Whether it may be pinyin."""
        return self.text.isascii() and self.text.isalpha()
