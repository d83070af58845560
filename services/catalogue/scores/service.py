"""The scores of all items, held in memory by the processes that show them."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from servicekit.database import Database
from services.catalogue.scores import repository

#: A score of few ratings is drawn towards this many stars, as if that many ratings had given it.
PRIOR_STARS = 3.5
PRIOR_RATINGS = 10


class Score(NamedTuple):
    """What is shown of an item's ratings."""

    rated: int
    satisfaction_ratio: float | None
    average_stars: float | None


UNRATED = Score(0, None, None)


@dataclass(frozen=True, slots=True)
class Scores:
    """A picture of all scores."""

    stamp: tuple[int, int]
    by_item: dict[UUID, Score]

    def of(self, item_id: UUID) -> Score:
        """An item's score; unrated ones have one too."""
        return self.by_item.get(item_id, UNRATED)


#: Before anything is loaded; no stamp is like it.
NO_SCORES = Scores((-1, -1), {})


def weight(score: Score) -> float:
    """Stars for ranking, so that one enthusiast does not outrank a thousand content people."""
    stars = (score.average_stars or 0) * score.rated
    return (stars + PRIOR_STARS * PRIOR_RATINGS) / (score.rated + PRIOR_RATINGS)


async def stamp(database: Database) -> tuple[int, int]:
    """What tells whether a picture is still the newest."""
    async with database.reading() as session:
        return await repository.stamp(session)


async def load(database: Database) -> Scores:
    """Read all scores."""
    async with database.reading() as session:
        rows = await repository.load(session)
        return Scores(
            await repository.stamp(session),
            {item_id: Score(*row[1:]) for item_id, row in rows.items()},
        )
