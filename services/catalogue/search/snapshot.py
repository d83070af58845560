"""The whole searchable catalogue at one revision: a large segment, and what changed since.

A change is searchable without building the large segment again; it is built again when a part of
it has changed. Snapshots are immutable: a search that began on one ends on it.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from services.catalogue.search.documents import EVERYWHERE, Document, Scope
from services.catalogue.search.queries import Query
from services.catalogue.search.segment import Match, Segment

#: Changes are merged into the large segment when there are more than this many, and more than
#: this share of it.
MERGE_DOCUMENTS = 200
MERGE_SHARE = 0.05

WeightOf = Callable[[UUID], float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is searched, and up to which catalogue revision it is complete."""

    revision: int
    base: Segment
    #: Where each item stands in the base.
    ranks: dict[UUID, int]
    #: Items changed since the base was built: their documents…
    changed: Segment
    #: …and where their older selves stand in the base.
    hidden: frozenset[int] = frozenset()

    @classmethod
    def build(cls, documents: Iterable[Document], *, revision: int, weight_of: WeightOf) -> Self:
        """Build everything anew."""
        base = Segment(list(documents), weight_of)
        ranks = {document.item_id: rank for rank, document in enumerate(base.documents)}
        return cls(revision, base, ranks, Segment([], weight_of))

    @property
    def documents(self) -> list[Document]:
        """Every searchable document, in no particular order."""
        kept = (
            document for rank, document in enumerate(self.base.documents) if rank not in self.hidden
        )
        return [*kept, *self.changed.documents]

    def __len__(self) -> int:
        return len(self.base.documents) - len(self.hidden) + len(self.changed.documents)

    def updated(
        self,
        documents: Iterable[Document],
        gone: Collection[UUID],
        *,
        revision: int,
        weight_of: WeightOf,
    ) -> "Snapshot":
        """The snapshot after some items changed and some are no longer shown."""
        changed = {document.item_id: document for document in self.changed.documents}
        changed |= {document.item_id: document for document in documents}
        touched = {*changed, *gone}
        for item_id in gone:
            changed.pop(item_id, None)
        hidden = self.hidden.union(self.ranks[each] for each in touched if each in self.ranks)
        result = Snapshot(
            revision, self.base, self.ranks, Segment(list(changed.values()), weight_of), hidden
        )
        changes = len(changed) + len(hidden)
        if changes > max(MERGE_DOCUMENTS, MERGE_SHARE * len(self.base.documents)):
            return Snapshot.build(result.documents, revision=revision, weight_of=weight_of)
        return result

    def search(self, query: Query, *, scope: Scope = EVERYWHERE, limit: int) -> list[Match]:
        """The best matches, best first."""
        if not query.text:
            return []
        matches = self.base.search(query, scope, limit, hidden=self.hidden)
        if self.changed.documents:
            matches += self.changed.search(query, scope, limit)
            matches.sort(key=_order)
            matches = _without_needless_likeness(matches[:limit])
        return matches


def _order(match: Match) -> tuple[object, ...]:
    return match.order


def _without_needless_likeness(matches: list[Match]) -> list[Match]:
    """Similar ones are for when nothing matches as typed, in either segment."""
    exact = [match for match in matches if not match.is_similar]
    return exact or matches
