"""The book of synonyms as search reads it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from contracts.values import division_covers

#: One search is never asked again more often than this.
MOST_MEANINGS = 8


class SynonymBook:
    """Word → what it means, and for whom."""

    def __init__(
        self, rows: Iterable[tuple[str, str, Sequence[str]]] = (), *, revision: int = 0
    ) -> None:
        """Take rows of division, folded word, and folded meanings."""
        self.revision = revision
        self._by_word: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for division, word, means in rows:
            self._by_word[word].append((division, tuple(means)))
        self._longest = max(map(len, self._by_word), default=0)

    def meanings(self, text: str, division: str | None) -> list[str]:
        """What else a folded search may mean to somebody of a division, longest words first."""
        found = dict.fromkeys(
            text[:start] + meaning + text[start + len(word) :]
            for start, word in self._words_in(text)
            for covered, means in self._by_word[word]
            if division is None or division_covers(covered, division)
            for meaning in means
        )
        found.pop(text, None)
        return list(found)[:MOST_MEANINGS]

    def _words_in(self, text: str) -> Iterator[tuple[int, str]]:
        for length in range(min(self._longest, len(text)), 0, -1):
            for start in range(len(text) - length + 1):
                if text[start : start + length] in self._by_word:
                    yield start, text[start : start + length]
