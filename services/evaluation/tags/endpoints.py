"""评价标签: read by anyone."""

from contracts.values import RatingLevel
from servicekit.app import create_router
from servicekit.database import ReadSession
from services.evaluation.tags import service
from services.evaluation.tags.schemas import RatingTagList

router = create_router("rating-tags")


@router.get("/rating-tags")
async def list_rating_tags(
    session: ReadSession, level: RatingLevel | None = None, retired: bool = False
) -> RatingTagList:
    """全国统一的评价标签，每个等级各有一套；retired=true 时连同已停用的一起返回。"""
    return await service.list_tags(session, level=level, with_retired=retired)
