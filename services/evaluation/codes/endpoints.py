"""平台代码表: read by anyone."""

from servicekit.app import create_router
from servicekit.database import ReadSession
from services.evaluation.codes import service
from services.evaluation.codes.schemas import Name, PlatformCodes

router = create_router("rating-codes")


@router.get("/rating-codes/{platform}")
async def read_codes(platform: Name, session: ReadSession) -> PlatformCodes:
    """评价渠道和满意度在一个平台的代码；数字在各平台意思不同，内部只用名称。"""
    return await service.get(session, platform)
