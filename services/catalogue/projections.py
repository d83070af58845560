"""The local copies of the catalogue service that can be rebuilt from a compacted topic."""

from collections.abc import Mapping

from contracts.evaluation import ScoreChanged
from contracts.topics import SCORES
from servicekit.rebuild import Projection
from services.catalogue.scores.consumers import keep_score


def create_projections() -> Mapping[str, Projection]:
    """The projections by name."""
    return {
        "item-scores": Projection(
            topic=SCORES, tables=["item_score"], handlers={ScoreChanged: [keep_score]}
        )
    }
