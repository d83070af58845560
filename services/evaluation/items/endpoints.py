"""事项评价: public, like the score of any one item."""

from servicekit.app import create_router
from servicekit.database import ReadSession
from servicekit.paging import Page
from services.evaluation.items import ranking
from services.evaluation.items.schemas import Asked, RatedItem

router = create_router("items")


@router.get("/item-scores")
async def list_rated_items(session: ReadSession, asked: Asked) -> Page[RatedItem]:
    """现有事项的评价，最好的在前，尚无评价的在后；名称、状态以事项目录为准。"""
    return await ranking.rank(session, asked, after=asked.after, limit=asked.limit)
