"""设施类型: read by anyone."""

from fastapi import Request, Response
from pydantic import BaseModel

from servicekit.app import create_router
from servicekit.database import ReadSession
from services.facilities.tags import tagged
from services.facilities.types import service
from services.facilities.types.schemas import TypeRead

router = create_router("facilities")


class TypeList(BaseModel):
    """The whole dictionary; short enough for one answer."""

    items: list[TypeRead]


@router.get("/facilities/types", response_model=TypeList)
async def list_types(request: Request, session: ReadSession) -> Response:
    """设施类型字典，按分组排列。"""
    return tagged(request, TypeList(items=await service.list_types(session)))
