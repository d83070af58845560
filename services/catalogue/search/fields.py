"""Inverted indexes: from the one or two characters of a gram to the ranks that contain it.

Ranks are positions in the order in which equal matches are shown, so a list can be left as soon as
enough is found. A list is found by the rarest gram of a query and every hit is checked against
the text itself: nothing is missed and nothing is shown that does not match.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from operator import add

from services.catalogue.words import BORDER, syllables

_NONE: "array[int]" = array("I")
_START = "^"
#: Pinyin is found by the first two or three letters from a syllable on, or by any four.
START_LETTERS = (2, 3)
LONG_LETTERS = 4


class Postings:
    """Gram → ascending ranks."""

    __slots__ = ("_ranks",)

    def __init__(self) -> None:
        self._ranks: dict[str, array[int]] = {}

    def add(self, rank: int, grams: Iterable[str]) -> None:
        """Note that a text has these grams; ranks must come in ascending order."""
        lists = self._ranks
        for gram in grams:
            ranks = lists.get(gram)
            if ranks is None:
                lists[gram] = array("I", (rank,))
            else:
                ranks.append(rank)

    def of(self, gram: str) -> "array[int]":
        """Ranks of the texts with a gram."""
        return self._ranks.get(gram, _NONE)

    def rarest(self, grams: Iterable[str]) -> "array[int]":
        """The shortest list among several grams."""
        return min(map(self.of, grams), key=len)


def query_grams(text: str) -> set[str]:
    """What a text of the index has if it contains this: its pairs, or its only character."""
    return set(map(add, text, text[1:])) if len(text) > 1 else {text}


class TextField:
    """Texts found by any part of them, from one character on."""

    __slots__ = ("_postings", "texts")

    def __init__(self, texts: Sequence[str], *, starts: bool = False) -> None:
        self.texts = texts
        self._postings = Postings()
        for rank, text in enumerate(texts):
            grams = {*text, *map(add, text, text[1:])}
            if starts:
                grams |= {_START + text[:1], _START + text[:2]}
            self._postings.add(rank, grams)

    def starting(self, query: str) -> Iterator[int]:
        """Ranks of texts that start with a query; the field must have been built with `starts`."""
        texts = self.texts
        for rank in self._postings.of(_START + query[:2]):
            if texts[rank].startswith(query):
                yield rank

    def containing(self, query: str) -> Iterator[int]:
        """Ranks of texts that contain a query."""
        texts = self.texts
        for rank in self._postings.rarest(query_grams(query)):
            if query in texts[rank]:
                yield rank

    def with_gram(self, gram: str) -> "array[int]":
        """Ranks of texts with one gram."""
        return self._postings.of(gram)


class PinyinField:
    """Spellings (`words.spell_all`) found from the first letter of any syllable on."""

    __slots__ = ("_postings", "_spellings", "letters")

    def __init__(self, spellings: Sequence[str]) -> None:
        self._spellings = spellings
        #: The same in lower case.
        self.letters = [spelling.lower() for spelling in spellings]
        self._postings = Postings()
        for rank, letters in enumerate(self.letters):
            self._postings.add(rank, _pinyin_grams(spellings[rank], letters))

    def containing(self, query: str, *, most: int | None = None) -> Iterator[int]:
        """Ranks of spellings with a query of at least two letters at the start of a syllable.

        `most` bounds how many are looked at.
        """
        if len(query) < LONG_LETTERS:
            ranks = self._postings.of(_START + query)
        else:
            grams = {query[n : n + LONG_LETTERS] for n in range(len(query) - LONG_LETTERS + 1)}
            ranks = self._postings.rarest(grams)
        letters = self.letters
        for rank in islice(ranks, most):
            text = letters[rank]
            if query in text and find_syllable(self._spellings[rank], text, query) >= 0:
                yield rank

    def with_gram(self, gram: str) -> "array[int]":
        """Ranks of spellings with four letters in a row."""
        return self._postings.of(gram)


def _pinyin_grams(spelling: str, letters: str) -> set[str]:
    grams = {letters[n : n + LONG_LETTERS] for n in range(len(letters) - LONG_LETTERS + 1)}
    for text in spelling.split(BORDER):
        starts = accumulate(map(len, syllables(text)), initial=0)
        text = text.lower()
        grams |= {
            _START + text[start : start + length] for start in starts for length in START_LETTERS
        }
    return grams


def find_syllable(spelling: str, letters: str, query: str) -> int:
    """Where a query begins together with a syllable; -1 when it nowhere does."""
    at = letters.find(query)
    while at >= 0:
        if spelling[at].isupper():
            return at
        at = letters.find(query, at + 1)
    return at
