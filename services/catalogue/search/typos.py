"""One slip of the hand: a character wrong, missing, too many, or swapped; or another of its sound."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from services.catalogue.search.fields import LONG_LETTERS
from services.catalogue.search.queries import Query
from services.catalogue.words import spell

#: Below this everything is one slip away from everything.
SHORTEST = 3
#: Letters carry less: one slip is looked for when each half has a gram of the index.
SHORTEST_LETTERS = 2 * LONG_LETTERS


@dataclass(frozen=True)
class Typo:
    """What a query may have been meant to be, as grams to look by and a pattern to check by."""

    text: str
    #: One of them is untouched, whichever character is wrong.
    grams: tuple[str, ...]
    #: The same of pinyin.
    letters: tuple[str, ...]
    #: Its pinyin; empty when it has none.
    sound: str
    is_letters: bool

    @classmethod
    def of(cls, query: Query) -> Self | None:
        """Read a query; None when it is too short to tell a slip from another word."""
        text = query.text
        if query.is_letters:
            if len(text) < SHORTEST_LETTERS:
                return None
            halves = text[: len(text) // 2], text[len(text) // 2 :]
            letters = tuple(half[:LONG_LETTERS] for half in halves)
            return cls(text, (), letters, text, is_letters=True)
        if len(text) < SHORTEST:
            return None
        halves = text[: len(text) // 2], text[len(text) // 2 :]
        sound = spell(text).lower()
        return cls(
            text,
            tuple(half[:2] for half in halves),
            (),
            sound if sound.isascii() and sound.isalpha() else "\0",
            is_letters=False,
        )

    @cached_property
    def pattern(self) -> "re.Pattern[str]":
        """What it may have been meant to be; made when something first comes near it."""
        return _one_slip(self.text)

    @cached_property
    def _characters(self) -> frozenset[str]:
        return frozenset(self.text)

    def fits(self, *texts: str) -> bool:
        """Whether a text has it with one slip put right."""
        # A slip takes at most one character away; counting them is far cheaper than the pattern.
        return not self.is_letters and any(
            len(self._characters.difference(text)) < 2 and self.pattern.search(text)
            for text in texts
        )

    def sounds_in(self, letters: str) -> bool:
        """Whether pinyin in lower case has its sound, or letters with one slip put right."""
        return self.sound in letters or (
            self.is_letters and self.pattern.search(letters) is not None
        )


def _one_slip(text: str) -> "re.Pattern[str]":
    meant: dict[str, None] = {}
    for n in range(len(text)):
        before, here, after = (re.escape(part) for part in (text[:n], text[n], text[n + 1 :]))
        meant[f"{before}[^\\n]{after}"] = None  # this one is wrong
        meant[f"{before}{after}"] = None  # this one is too many
        if n:
            meant[f"{before}[^\\n]{here}{after}"] = None  # one is missing before it
        if after:
            swapped = re.escape(text[n + 1]) + here + re.escape(text[n + 2 :])
            meant[f"{before}{swapped}"] = None
    if len(text) <= SHORTEST:
        # Two characters of three that happen to stand together are no slip.
        meant = {each: None for each in meant if "[^" in each or len(each) > SHORTEST - 1}
    return re.compile("|".join(meant))
