"""Bundles and themes as search knows them: few, so they are built anew with every change."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncSession

from services.catalogue.bundles import service as bundles
from services.catalogue.search.documents import Document, Scope, flags_of
from services.catalogue.search.queries import Query
from services.catalogue.search.segment import Match, Segment
from services.catalogue.themes import service as themes
from services.catalogue.vocabulary import Audience, ServiceObject


def _no_weight(_: object) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Headings:
    """What groups items, searchable like them."""

    bundles: Segment
    themes: Segment

    @classmethod
    def of(cls, bundles: Iterable[Document], themes: Iterable[Document]) -> Self:
        """Build both."""
        return cls(Segment(list(bundles), _no_weight), Segment(list(themes), _no_weight))

    @staticmethod
    def search(segment: Segment, query: Query, scope: Scope, limit: int) -> list[Match]:
        """The best that have the words as typed."""
        found = segment.search(query, scope, limit)
        return [match for match in found if not match.is_similar]


async def load_headings(session: AsyncSession) -> Headings:
    """Read every published bundle and every theme."""
    return Headings.of(
        [_bundle(row) for row in await bundles.list_published(session)],
        [_theme(row) for row in await themes.list_all(session)],
    )


#: Whom a bundle or theme is for lies in its items: they pass every filter of that kind.
_FOR_ALL = (*Audience, *ServiceObject)


def _bundle(row: Any) -> Document:
    content = row.content
    return Document(
        item_id=row.id,
        division_code=row.division_code,
        name=content["name"],
        aliases=tuple(content["aliases"]),
        summary=content["summary"],
        spelling=row.spelling,
        flags=flags_of([*content["channels"], *_FOR_ALL]),
        shown={"bundle_code": row.bundle_code, "theme": row.theme},
    )


def _theme(row: Any) -> Document:
    return Document(
        item_id=row.id,
        division_code=row.division_code,
        name=row.name,
        aliases=tuple(row.aliases),
        summary="",
        spelling=row.spelling,
        flags=~0,
        shown={"code": row.code, "subject": row.subject},
    )
