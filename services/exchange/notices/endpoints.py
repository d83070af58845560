"""通知: everyone reads their own."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from servicekit.app import create_router
from servicekit.auth import SignedIn
from servicekit.database import ReadSession
from servicekit.idempotency import Session
from servicekit.paging import After, CursorMalformed, Limit, Page, decode_cursor
from services.exchange.notices import service
from services.exchange.notices.schemas import MarkedRead, NoticeRead, UnreadCount

router = create_router("notices")


@router.get("/notices")
async def list_notices(
    caller: SignedIn,
    session: ReadSession,
    unread: Annotated[bool, Query(description="只看未读的")] = False,
    after: After = None,
    limit: Limit = 20,
) -> Page[NoticeRead]:
    """本人的通知，最新的在前。"""
    return await service.list_notices(
        session, caller.account_id, unread=unread, before=_last(after), limit=limit
    )


@router.get("/notices/unread-count")
async def count_unread(caller: SignedIn, session: ReadSession) -> UnreadCount:
    """本人未读通知的条数。"""
    return await service.count_unread(session, caller.account_id)


@router.post("/notices/read-all")
async def mark_all_read(
    caller: SignedIn,
    session: Session,
    up_to: Annotated[
        UUID | None, Query(description="只标到这一条（含）为止，避免把刚到的也标成已读")
    ] = None,
) -> MarkedRead:
    """把本人的通知都标为已读。"""
    return await service.mark_all_read(session, caller.account_id, up_to=up_to)


@router.post("/notices/{notice_id}/read")
async def mark_read(notice_id: UUID, caller: SignedIn, session: Session) -> NoticeRead:
    """把本人的一条通知标为已读；已读的保持原来的时间。"""
    return await service.mark_read(session, caller.account_id, notice_id)


def _last(after: str | None) -> UUID | None:
    if after is None:
        return None
    try:
        return UUID(decode_cursor(after, 1)[0])
    except (ValueError, AttributeError, TypeError):
        raise CursorMalformed from None
