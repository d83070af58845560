"""The local copy of surveys."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import CommunitySurveyed
from servicekit.copies import keep_newest
from services.facilities.models import Base

_SURVEY = Base.metadata.tables["community_survey"]


async def keep(session: AsyncSession, event: CommunitySurveyed) -> bool:
    """Store how far a community was surveyed in a year; False when what is there is as new."""
    values = event.model_dump(include=set(_SURVEY.columns.keys()))
    return await keep_newest(session, _SURVEY, values, by=("revision",))
