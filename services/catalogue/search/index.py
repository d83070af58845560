"""The search index of a process: loaded when it starts, renewed when the catalogue changed."""

import asyncio
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import Database
from servicekit.logging import logger
from servicekit.refreshed import Refreshed
from services.catalogue.metrics import INDEX_BUILDS, INDEX_ITEMS
from services.catalogue.models import Status
from services.catalogue.scores import service as scores
from services.catalogue.scores.service import NO_SCORES, Scores
from services.catalogue.search import repository
from services.catalogue.search.documents import AROUND_THE_CLOCK, Document, flags_of
from services.catalogue.search.headings import Headings, load_headings
from services.catalogue.search.snapshot import Snapshot
from services.catalogue.synonyms import service as synonyms
from services.catalogue.synonyms.rules import SynonymBook
from services.catalogue.vocabulary import status_text

#: A score shows at once; what it means for the order of equal matches waits this long.
RERANK_SECONDS = 600.0
SCORES_CHECK_SECONDS = 2.0


class SearchIndex:
    """The newest snapshot of the catalogue, the newest scores and the newest synonyms."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refreshed_scores = Refreshed(
            "scores",
            load=self._load_scores,
            fingerprint=lambda: scores.stamp(database),
            check_seconds=SCORES_CHECK_SECONDS,
        )
        self._refreshed_synonyms = Refreshed(
            "synonyms",
            load=self._load_synonyms,
            fingerprint=lambda: synonyms.fingerprint(database),
        )
        self._refreshed = Refreshed("search", load=self._load, fingerprint=self._fingerprint)
        self._ranked_at = float("-inf")
        self._ranked_by: Hashable = None
        #: None until the database has answered for the first time.
        self.snapshot: Snapshot | None = None
        self.scores: Scores = NO_SCORES
        self.synonyms = SynonymBook()
        self.headings = Headings.of((), ())

    async def refresh(self) -> None:
        """Load what changed, now."""
        await self._refreshed_scores.refresh()
        await self._refreshed_synonyms.refresh()
        await self._refreshed.refresh()

    async def run(self) -> None:
        """Keep both fresh until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._refreshed_scores.run())
            group.create_task(self._refreshed_synonyms.run())
            group.create_task(self._refreshed.run())

    async def _load_scores(self) -> Scores:
        self.scores = await scores.load(self._database)
        return self.scores

    async def _load_synonyms(self) -> SynonymBook:
        self.synonyms = await synonyms.load(self._database)
        return self.synonyms

    async def _fingerprint(self) -> Hashable:
        async with self._database.reading() as session:
            revision = await repository.revision(session)
        return revision, self.scores.stamp if self._must_rerank() else self._ranked_by

    def _must_rerank(self) -> bool:
        waited = monotonic() - self._ranked_at
        return self.scores.stamp != self._ranked_by and waited > RERANK_SECONDS

    async def _load(self) -> Snapshot:
        snapshot = await self._updated()
        if snapshot is None or self._must_rerank():
            snapshot = await self._build(snapshot)
        async with self._database.reading() as session:
            self.headings = await load_headings(session)
        self.snapshot = snapshot
        INDEX_ITEMS.set(len(snapshot))
        return snapshot

    async def _updated(self) -> Snapshot | None:
        """The known snapshot with what changed since; None when it cannot be brought up to date."""
        known = self.snapshot
        if known is None:
            return None
        async with self._database.reading() as session:
            # Read first: what is published meanwhile is loaded now and once more next time.
            revision = await repository.revision(session)
            if revision is None or revision < known.revision:
                return None
            documents, gone = await _changes(session, known.revision)
            expected = await repository.count_searchable(session)
        snapshot = await asyncio.to_thread(
            known.updated, documents, gone, revision=revision, weight_of=_weights(self.scores)
        )
        return snapshot if len(snapshot) == expected else None

    async def _build(self, known: Snapshot | None) -> Snapshot:
        """Build the whole index, from the database unless the documents are known."""
        if known is None:
            async with self._database.reading() as session:
                revision = await repository.revision(session) or 0
                read = DocumentReader()
                documents = [read(row) async for row in repository.searchable(session)]
        else:
            revision, documents = known.revision, known.documents
        picture = self.scores
        snapshot = await asyncio.to_thread(
            Snapshot.build, documents, revision=revision, weight_of=_weights(picture)
        )
        self._ranked_at, self._ranked_by = monotonic(), picture.stamp
        INDEX_BUILDS.inc()
        logger.info("search_index_built", items=len(snapshot), revision=revision)
        return snapshot


async def _changes(session: AsyncSession, seen: int) -> tuple[list[Document], list[UUID]]:
    documents, gone, read = [], [], DocumentReader()
    async for row in repository.changed_since(session, seen):
        if row.status == Status.retired:
            gone.append(row.id)
        else:
            documents.append(read(row))
    return documents, gone


def _weights(picture: Scores) -> Callable[[UUID], float]:
    def weight_of(item_id: UUID) -> float:
        return scores.weight(picture.of(item_id))

    return weight_of


class DocumentReader:
    """Makes documents of rows; what many of them show alike is kept once for all of them.

    Of 100 000 items a few hundred differ in anything but their texts and code.
    """

    def __init__(self) -> None:
        self._shown: dict[bytes, dict[str, Any]] = {}
        self._divisions: dict[str, str] = {}

    def __call__(self, row: Any) -> Document:
        shown = row.shown
        night = [AROUND_THE_CLOCK] if shown["around_the_clock"] else []
        status = Status(row.status)
        whole = {**shown, "status": status, "status_text": status_text(status, row.status_reason)}
        return Document(
            item_id=row.id,
            division_code=self._divisions.setdefault(row.division_code, row.division_code),
            name=row.name,
            aliases=tuple(row.aliases),
            summary=row.summary,
            spelling=row.spelling,
            flags=flags_of([*shown["channels"], *row.audiences, *row.service_objects, *night]),
            shown=self._shown.setdefault(orjson.dumps(whole), whole),
            item_code=row.item_code,
        )
