"""Which characters of a match to emphasise: ranges [from, to) in the text as it is shown."""

from dataclasses import dataclass
from itertools import accumulate

from services.catalogue.search.fields import find_syllable, query_grams
from services.catalogue.search.queries import Query
from services.catalogue.search.segment import Match, Tier
from services.catalogue.words import BORDER, fold, initials, syllables

Ranges = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Highlight:
    """One text of an item with what matched in it."""

    field: str
    text: str
    ranges: Ranges


def highlight(match: Match, query: Query) -> Highlight | None:
    """The text by which a match was found; None when it cannot be told."""
    document = match.document
    match match.tier:
        case Tier.whole_name | Tier.name_start | Tier.name_part:
            return Highlight("name", document.name, occurrences(document.name, query.text))
        case Tier.alias:
            return _alias(document.aliases, query.text)
        case Tier.pinyin | Tier.initials:
            return _spelled((document.name, *document.aliases), document.spelling, match, query)
        case Tier.summary:
            return Highlight("summary", document.summary, occurrences(document.summary, query.text))
        case Tier.together | Tier.slip | Tier.similar:
            return _similar((document.name, *document.aliases), query)


def occurrences(text: str, query: str) -> Ranges:
    """Where a folded query occurs in a text, without overlaps."""
    return _occurrences(fold(text), query)


def _occurrences(folded: str, query: str) -> Ranges:
    ranges, at = [], 0
    while (at := folded.find(query, at)) >= 0:
        ranges.append((at, at + len(query)))
        at += len(query)
    return ranges


def _alias(aliases: tuple[str, ...], query: str) -> Highlight | None:
    for alias in aliases:
        if ranges := occurrences(alias, query):
            return Highlight("alias", alias, ranges)
    return None


def _spelled(texts: tuple[str, ...], spelling: str, match: Match, query: Query) -> Highlight | None:
    for n, (text, spelled) in enumerate(zip(texts, spelling.split(BORDER), strict=True)):
        if match.tier is Tier.initials:
            found = initials(spelled).find(query.text)
            reach = (found, found + len(query.text))
        else:
            found = find_syllable(spelled, spelled.lower(), query.text)
            reach = _syllable_range(spelled, found, found + len(query.text))
        if found >= 0:
            return Highlight("name" if n == 0 else "alias", text, [reach])
    return None


def _syllable_range(spelled: str, start: int, end: int) -> tuple[int, int]:
    """Characters whose letters lie, also in part, between two places of a spelling."""
    ends = list(accumulate(map(len, syllables(spelled))))
    first = sum(each <= start for each in ends)
    return first, first + 1 + sum(start < each < end for each in ends)


def _similar(texts: tuple[str, ...], query: Query) -> Highlight:
    pairs = set().union(*map(query_grams, query.terms))
    # With one of three characters wrong no pair may be left.
    for grams in (pairs, set(query.text)):
        found = _most_marked(texts, grams)
        if found.ranges:
            break
    return found


def _most_marked(texts: tuple[str, ...], grams: set[str]) -> Highlight:
    best, best_marks = texts[0], set[int]()
    for text in texts:
        folded = fold(text)
        marks = {
            place
            for gram in grams
            for start, end in _occurrences(folded, gram)
            for place in range(start, end)
        }
        if len(marks) > len(best_marks):
            best, best_marks = text, marks
    field = "name" if best == texts[0] else "alias"
    return Highlight(field, best, _joined(best_marks))


def _joined(marks: set[int]) -> Ranges:
    ranges: Ranges = []
    for mark in sorted(marks):
        if ranges and ranges[-1][1] == mark:
            ranges[-1] = (ranges[-1][0], mark + 1)
        else:
            ranges.append((mark, mark + 1))
    return ranges
