"""A searchable set of documents: immutable, built once, asked often."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum
from heapq import nlargest
from itertools import islice
from math import ceil
from operator import attrgetter
from uuid import UUID

from services.catalogue.search.documents import Document, Scope
from services.catalogue.search.fields import PinyinField, TextField, query_grams
from services.catalogue.search.queries import Query
from services.catalogue.search.typos import Typo
from services.catalogue.words import BORDER, fold, initials

#: Of each gram, so many best-ranked documents are looked at when nothing matches as typed.
SIMILAR_CANDIDATES = 1_000
#: Of each untouched part of a mistyped query, so many best-ranked documents
#: of the searcher's divisions are looked at.
TYPO_CANDIDATES = 400
#: The share of a query's grams that something similar has at least.
SIMILAR_SHARE = 0.5


class Tier(IntEnum):
    """How well a document matches; a lower one comes first."""

    whole_name = 0
    name_start = 1
    name_part = 2
    alias = 3
    pinyin = 4
    initials = 5
    summary = 6
    together = 7  #: has every part of it, or all but one, not in one piece
    slip = 8  #: has it with one slip put right
    similar = 9


@dataclass(frozen=True, slots=True)
class Match:
    """A document that was found, and how."""

    document: Document
    tier: Tier
    #: Its place among all matches, also those of other segments.
    order: tuple[object, ...]

    @property
    def is_similar(self) -> bool:
        """Whether it does not have the text as it was typed."""
        return self.tier >= Tier.together


class Segment:
    """Documents in the order in which equal matches are shown: the weightier first, then by name."""

    def __init__(self, documents: Sequence[Document], weight_of: Callable[[UUID], float]) -> None:
        ranked = sorted(
            ((-weight_of(each.item_id), each.name, each.item_id), each) for each in documents
        )
        self.documents = [document for _, document in ranked]
        self._orders = [order for order, _ in ranked]
        self._divisions = [document.division_code for document in self.documents]
        self._flags = [document.flags for document in self.documents]
        names = [_folded(document.name) for document in self.documents]
        self._whole: dict[str, list[int]] = {}
        for rank, name in enumerate(names):
            self._whole.setdefault(name, []).append(rank)
        self._names = TextField(names, starts=True)
        self._aliases = TextField(
            [BORDER.join(map(fold, document.aliases)) for document in self.documents]
        )
        self._summaries = TextField([_folded(document.summary) for document in self.documents])
        spellings = [document.spelling for document in self.documents]
        self._pinyin = PinyinField(spellings)
        self._initials = TextField([initials(spelling) for spelling in spellings])

    def search(
        self, query: Query, scope: Scope, limit: int, *, hidden: Set[int] = frozenset()
    ) -> list[Match]:
        """The best matches in their order; ranks in `hidden` are passed over."""
        found: dict[int, Tier] = {}
        for tier, ranks in self._tiers(query):
            for rank in self._shown(ranks, scope, hidden):
                found.setdefault(rank, tier)
                if len(found) == limit:
                    break
            if len(found) == limit:
                break
        matches = [self._match(rank, tier, 0) for rank, tier in found.items()]
        if matches:
            return matches
        grams = set().union(*map(query_grams, query.terms))
        if len(grams) < 2:
            return self._mistyped(query, scope, limit, hidden)
        # Words run together are far more often typed than slips, and far cheaper to look for.
        # Where two of them meet they make a gram that is in no text.
        nearly_all = max(2, len(grams) - 1)
        close = self._having(grams, nearly_all, Tier.together, scope, limit, hidden)
        if len(close) == limit:
            return close
        half = ceil(len(grams) * SIMILAR_SHARE)
        close += self._having(grams, half, Tier.similar, scope, limit, hidden)
        close += self._mistyped(query, scope, limit, hidden)
        close.sort(key=attrgetter("order"), reverse=True)
        best = {match.document.item_id: match for match in close}
        return sorted(best.values(), key=attrgetter("order"))[:limit]

    def _mistyped(self, query: Query, scope: Scope, limit: int, hidden: Set[int]) -> list[Match]:
        """What somebody meant who typed one character wrong, too many or too few, or its sound."""
        typo = Typo.of(query)
        if typo is None:
            return []
        meant = (
            rank
            for rank in self._like(typo, scope, hidden)
            if typo.fits(self._names.texts[rank], self._aliases.texts[rank])
            or typo.sounds_in(self._pinyin.letters[rank])
        )
        ranks = dict.fromkeys(islice(meant, limit))
        return [self._match(rank, Tier.slip, 0) for rank in ranks]

    def _like(self, typo: Typo, scope: Scope, hidden: Set[int]) -> list[int]:
        """Ranks of documents that have an untouched part of what was typed, the best first."""
        parts: list[Iterable[int]] = [
            *map(self._with_gram, typo.grams),
            *map(self._pinyin.with_gram, typo.letters),
            self._pinyin.containing(typo.sound),
        ]
        shown = (islice(self._shown(iter(part), scope, hidden), TYPO_CANDIDATES) for part in parts)
        return sorted(set().union(*shown))

    def _tiers(self, query: Query) -> Iterator[tuple[Tier, Iterator[int]]]:
        text = query.text
        yield Tier.whole_name, iter(self._whole.get(text, ()))
        yield Tier.name_start, self._names.starting(text)
        yield Tier.name_part, self._names.containing(text)
        yield Tier.alias, self._aliases.containing(text)
        if query.is_letters:
            if len(text) > 1:
                yield Tier.pinyin, self._pinyin.containing(text)
            yield Tier.initials, self._initials.containing(text)
        yield Tier.summary, self._summaries.containing(text)

    def _shown(self, ranks: Iterator[int], scope: Scope, hidden: Set[int]) -> Iterator[int]:
        wanted, divisions = scope.flags, scope.divisions
        flags, division_of = self._flags, self._divisions
        for rank in ranks:
            if (
                (flags[rank] & wanted) == wanted
                and (divisions is None or division_of[rank] in divisions)
                and rank not in hidden
            ):
                yield rank

    def _having(
        self,
        grams: Set[str],
        least: int,
        tier: Tier,
        scope: Scope,
        limit: int,
        hidden: Set[int],
    ) -> list[Match]:
        """What has so many of the grams, those with more of them first."""
        known = sorted(filter(self._frequency, grams), key=self._frequency)
        # Whatever has `least` of n grams has one of the n - least + 1 rarest.
        candidates: set[int] = set()
        for gram in known[: max(0, len(known) - least + 1)]:
            candidates.update(self._with_gram(gram, most=SIMILAR_CANDIDATES))
        scored = (
            (overlap, -rank)
            for rank in self._shown(iter(sorted(candidates)), scope, hidden)
            if (overlap := self._overlap(rank, known)) >= least
        )
        return [
            self._match(-negative, tier, overlap) for overlap, negative in nlargest(limit, scored)
        ]

    def _with_gram(self, gram: str, *, most: int | None = None) -> Sequence[int]:
        """Ranks of documents with a gram in name or alias, ascending, each once, the first ones."""
        names, aliases = self._names.with_gram(gram), self._aliases.with_gram(gram)
        if not aliases or not names:
            return (names or aliases)[:most]
        # A union of sets beats merging two iterators by far, also when only a part is read.
        return sorted(set(names[:most]).union(aliases[:most]))[:most]

    def _frequency(self, gram: str) -> int:
        return len(self._names.with_gram(gram)) + len(self._aliases.with_gram(gram))

    def _overlap(self, rank: int, grams: Iterable[str]) -> int:
        name, aliases = self._names.texts[rank], self._aliases.texts[rank]
        return sum(gram in name or gram in aliases for gram in grams)

    def _match(self, rank: int, tier: Tier, overlap: int) -> Match:
        return Match(self.documents[rank], tier, (tier, -overlap, *self._orders[rank]))


def _folded(text: str) -> str:
    """A text as it is compared: most are so already, and are not kept twice."""
    folded = fold(text)
    return text if folded == text else folded
