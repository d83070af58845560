"""Evaluation's scores of items, kept as a copy."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope
from contracts.evaluation import ScoreChanged
from servicekit.bus import Poison
from services.catalogue.scores import repository


async def keep_score(session: AsyncSession, event: ScoreChanged, _: Envelope) -> None:
    """Keep the newest score of an item; scores of units are not ours.

    Raises:
        Poison: the subject is not an item's id.
    """
    if event.subject_kind != "item":
        return
    try:
        item_id = UUID(event.subject_id)
    except ValueError:
        raise Poison(f"{event.subject_id} is not an item's id") from None
    await repository.keep(session, item_id, event)
