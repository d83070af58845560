"""Guides as they are read: composed from the published text, drawn once, told apart by a digest."""

import hashlib
from collections import OrderedDict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import Invalid
from services.catalogue.guides import composition
from services.catalogue.guides.composition import Mode
from services.catalogue.guides.schemas import Guide
from services.catalogue.items import repository as items
from services.catalogue.items.content import ItemContent
from services.catalogue.items.service import ItemNotFound
from services.catalogue.models import Status
from services.catalogue.vocabulary import status_text

if TYPE_CHECKING:
    from servicekit.pdf import Document

#: Drawn guides kept in a process; one takes about 50 kB.
KEPT = 200
#: Points: what older readers read without glasses.
ELDER_SIZE = 16


class SituationUnknown(Invalid):
    code, title = "situation-unknown", "没有这个情形选项"


class Drawn:
    """The newest drawn guides by digest: drawing takes tens of milliseconds."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._drawn: OrderedDict[str, bytes] = OrderedDict()

    async def get(self, guide: Guide, digest: str) -> bytes:
        """The guide as PDF, drawn unless it was before."""
        known = self._drawn.get(digest)
        if known is None:
            known = await draw(guide).render()
            self._drawn[digest] = known
            while len(self._drawn) > self._kept:
                self._drawn.popitem(last=False)
        else:
            self._drawn.move_to_end(digest)
        return known


async def get(
    session: AsyncSession,
    item_id: UUID,
    *,
    mode: Mode,
    chosen: Collection[str],
    public_url: str,
) -> Guide:
    """The guide to an item as it is published.

    Raises:
        ItemNotFound: there is none, or it was never published.
        SituationUnknown: a choice is none of the item's.
    """
    item = await items.find_item(session, item_id)
    if item is None or item.current_version is None:
        raise ItemNotFound
    content = ItemContent.model_validate(item.content)
    known = {choice.key for each in content.situations for choice in each.choices}
    if set(chosen) - known:
        raise SituationUnknown(choices=sorted(known))
    return _compose(item, content, mode=mode, chosen=chosen, public_url=public_url)


def _compose(
    item: Any, content: ItemContent, *, mode: Mode, chosen: Collection[str], public_url: str
) -> Guide:
    return Guide(
        item_id=item.id,
        item_code=item.item_code,
        version=item.current_version,
        effective_on=item.effective_on,
        mode=mode,
        title=content.name,
        status_text=status_text(Status(item.status), item.status_reason),
        summary=content.summary,
        sections=composition.sections(content, mode, chosen),
        materials=composition.materials(content, chosen),
        situations=composition.situations(content, chosen),
        address=f"{public_url.rstrip('/')}/v1/items/{item.id}/guide",
    )


def digest_of(guide: Guide) -> str:
    """Tells one guide from another, whichever process composed it."""
    return hashlib.sha256(guide.model_dump_json().encode()).hexdigest()[:32]


def draw(guide: Guide) -> "Document":
    """A guide on paper; for older readers in large letters."""
    size = ELDER_SIZE if guide.mode == "elder" else 10
    footer = f"{guide.item_code}　第 {guide.version} 版　{guide.effective_on} 起施行"
    # large, and few processes ever need it
    from servicekit.pdf import Document

    document = Document(f"{guide.title} 办事指南", footer=footer)
    document.paragraph(f"{guide.summary}\n（{guide.status_text}）", size=size)
    for section in guide.sections:
        document.heading(section.heading).paragraph("\n".join(section.lines), size=size)
    if guide.mode == "full" and guide.materials:
        document.heading("申请材料").table(
            ("序号", "材料", "必要性", "形式", "份数", "说明"),
            composition.rows_of(guide.materials),
            widths=(1, 4, 2, 2, 1, 5),
        )
    if guide.address.startswith("http"):
        document.qr_code(guide.address, caption="扫码看最新的办事指南")
    return document
