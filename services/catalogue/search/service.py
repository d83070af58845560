"""Use cases of search: find items, and suggest names while somebody types."""

from collections.abc import Iterable
from typing import Any

from servicekit.errors import Invalid, Unavailable
from services.catalogue.divisions import division_chain
from services.catalogue.metrics import SEARCHES
from services.catalogue.search.documents import Scope, flags_of
from services.catalogue.search.highlights import highlight
from services.catalogue.search.index import SearchIndex
from services.catalogue.search.queries import Query
from services.catalogue.search.segment import Match, Tier
from services.catalogue.search.snapshot import Snapshot

#: How a tier is told to whoever asked.
_MATCHED = {
    Tier.whole_name: "name",
    Tier.name_start: "name",
    Tier.name_part: "name",
    Tier.alias: "alias",
    Tier.pinyin: "pinyin",
    Tier.initials: "pinyin",
    Tier.summary: "summary",
    Tier.together: "similar",
    Tier.slip: "similar",
    Tier.similar: "similar",
}

#: Bundles and themes shown beside the items.
HEADINGS = 5


class QueryEmpty(Invalid):
    code, title = "query-empty", "请输入要查的内容"


class IndexNotReady(Unavailable):
    code, title = "search-not-ready", "查询正在准备，请稍后再试"


def scope_of(division: str | None, values: Iterable[str]) -> Scope:
    """What may be shown to people of a division, through a channel, and so on."""
    chain = None if division is None else frozenset(division_chain(division))
    return Scope(chain, flags_of(values))


def ready(index: SearchIndex) -> Snapshot:
    """The newest snapshot.

    Raises:
        IndexNotReady: the database has not answered since the start.
    """
    if index.snapshot is None:
        raise IndexNotReady
    return index.snapshot


def tag_of(index: SearchIndex) -> str:
    """The ETag of every answer: it changes when the catalogue, a score or a synonym does.

    Raises:
        IndexNotReady: the database has not answered since the start.
    """
    rated, revisions = index.scores.stamp
    return f'"{ready(index).revision}-{rated}-{revisions}-{index.synonyms.revision}"'


def search(
    index: SearchIndex, typed: str, scope: Scope, limit: int, *, division: str | None = None
) -> dict[str, Any]:
    """Items, bundles and themes that match, best first, as `SearchResult` describes them.

    Raises:
        QueryEmpty: nothing is left of what was typed.
        IndexNotReady: the database has not answered since the start.
    """
    query = _parse(typed)
    matches = ready(index).search(query, scope=scope, limit=limit)
    found = [_hit(index, match, query) for match in matches]
    if len(found) < limit or (matches and matches[0].is_similar):
        found = _with_meant(found, _meant(index, query, scope, limit, division), limit)
    headings = index.headings
    SEARCHES.labels(_outcome(found)).inc()
    return {
        "items": found,
        "bundles": [
            _heading("bundle_id", match, query, summary=match.document.summary)
            for match in headings.search(headings.bundles, query, scope, HEADINGS)
        ],
        "themes": [
            _heading("theme_id", match, query)
            for match in headings.search(headings.themes, query, scope, HEADINGS)
        ],
    }


def _meant(
    index: SearchIndex, query: Query, scope: Scope, limit: int, division: str | None
) -> list[dict[str, Any]]:
    """What the words mean by the list of synonyms."""
    return [
        _hit(index, match, meaning) | {"matched": "synonym"}
        for text in index.synonyms.meanings(query.text, division)
        for meaning in [Query.parse(text)]
        for match in ready(index).search(meaning, scope=scope, limit=limit)
        if not match.is_similar
    ]


def _with_meant(
    found: list[dict[str, Any]], meant: list[dict[str, Any]], limit: int
) -> list[dict[str, Any]]:
    """Both, each item once: what is meant comes before what is merely similar."""
    typed = [hit for hit in found if hit["matched"] != "similar"]
    both = [*typed, *meant] or found
    return list({hit["item_id"]: hit for hit in reversed(both)}.values())[::-1][:limit]


def _heading(id_name: str, match: Match, query: Query, **more: Any) -> dict[str, Any]:
    document = match.document
    return {
        id_name: document.item_id,
        "division_code": document.division_code,
        "name": document.name,
        **more,
        **document.shown,
        "highlight": _highlight(match, query),
    }


def suggest(index: SearchIndex, typed: str, scope: Scope, limit: int) -> list[dict[str, Any]]:
    """Names that match, best first, each once, as `Suggestion` describes them.

    Raises:
        QueryEmpty: nothing is left of what was typed.
        IndexNotReady: the database has not answered since the start.
    """
    query = _parse(typed)
    suggestions: dict[str, dict[str, Any]] = {}
    for match in ready(index).search(query, scope=scope, limit=2 * limit):
        if match.tier < Tier.summary and len(suggestions) < limit:
            name = match.document.name
            suggestions.setdefault(
                name,
                {
                    "text": name,
                    "item_id": match.document.item_id,
                    "highlight": _highlight(match, query),
                },
            )
    return list(suggestions.values())


def _outcome(found: list[dict[str, Any]]) -> str:
    if not found:
        return "nothing"
    return "similar" if found[0]["matched"] == "similar" else "found"


def _parse(typed: str) -> Query:
    query = Query.parse(typed)
    if not query.text:
        raise QueryEmpty
    return query


def _hit(index: SearchIndex, match: Match, query: Query) -> dict[str, Any]:
    document = match.document
    return {
        "item_id": document.item_id,
        "division_code": document.division_code,
        "name": document.name,
        "summary": document.summary,
        "item_code": document.item_code,
        **document.shown,
        "score": index.scores.of(document.item_id)._asdict(),
        "matched": _MATCHED[match.tier],
        "highlight": _highlight(match, query),
    }


def _highlight(match: Match, query: Query) -> dict[str, Any] | None:
    found = highlight(match, query)
    if found is None:
        return None
    # Not `asdict`, which copies deeply: this is done for every hit.
    return {"field": found.field, "text": found.text, "ranges": found.ranges}
