"""The local copies of the facilities service that can be rebuilt from a compacted topic."""

from collections.abc import Mapping

from contracts.topics import CALENDAR, CATALOGUE, SURVEYS
from servicekit.rebuild import Projection
from services.facilities.worker import CALENDAR_HANDLERS, ITEM_HANDLERS, SURVEY_HANDLERS


def create_projections() -> Mapping[str, Projection]:
    """The projections by name."""
    return {
        "catalogue-items": Projection(CATALOGUE, ["catalogue_item"], ITEM_HANDLERS),
        "calendars": Projection(CALENDAR, ["calendar_year"], CALENDAR_HANDLERS),
        "surveys": Projection(SURVEYS, ["community_survey"], SURVEY_HANDLERS),
    }
