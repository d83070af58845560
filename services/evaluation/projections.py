"""The local copies of the evaluation service that can be rebuilt from a compacted topic."""

from collections.abc import Mapping

from servicekit.rebuild import Projection
from services.evaluation.assessments import consumers as indicators
from services.evaluation.calendar import consumers as calendar
from services.evaluation.divisions import consumers as divisions
from services.evaluation.items import consumers as items


def create_projections() -> Mapping[str, Projection]:
    """The projections by name."""
    return {
        "working-days": calendar.PROJECTION,
        "divisions": divisions.PROJECTION,
        "indicators": indicators.PROJECTION,
        "catalogue-items": items.PROJECTION,
    }
