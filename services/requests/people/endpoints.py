"""查人: a search that leaves a trace the person can read."""

from typing import Annotated

from fastapi import Depends, Request

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.idempotency import UnkeyedSession
from services.requests.people import service
from services.requests.people.schemas import FoundRequests, PersonSearch

router = create_router("people")
Searcher = Annotated[
    Caller, Depends(require("window-clerk", "handler", "supervisor", "village-agent"))
]


@router.post("/people/searches")
async def search_person(
    body: PersonSearch, caller: Searcher, session: UnkeyedSession, request: Request
) -> FoundRequests:
    """按身份证号或手机号查本区域（本单位）内一个人的申请；须说明理由，本人可以查到。"""
    return await service.search(session, request.app.state.cipher, body, caller)
