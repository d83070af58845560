"""变化与进度: a feed for programs, a stream for the resident who waits."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.responses import StreamingResponse

from servicekit.app import create_router
from servicekit.auth import Caller, Resident, require
from servicekit.database import ReadSession, database_of
from servicekit.paging import After, Limit
from services.requests.changes import service
from services.requests.changes.schemas import Changes
from services.requests.submissions.reading import find_readable

router = create_router("changes")
Reader = Annotated[
    Caller, Depends(require("window-clerk", "handler", "supervisor", "auditor", "operator"))
]


@router.get("/changes")
async def read_changes(
    caller: Reader, session: ReadSession, after: After = None, limit: Limit = 20
) -> Changes:
    """本区域或本单位办件的变化，按发生次序；断开后从上次的 next 接着读，不漏不重。"""
    return await service.read_changes(session, after=after, limit=limit, caller=caller)


@router.get("/requests/{request_id}/progress", response_class=StreamingResponse)
async def follow_progress(
    request_id: UUID,
    caller: Resident,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=400)] = None,
) -> StreamingResponse:
    """我的申请的进度（SSE）：有变化就推送，断线后按 Last-Event-ID 接着推送。"""
    service.place_of(last_event_id)
    database = database_of(request)
    async with database.reading() as session:
        await find_readable(session, request_id, caller)
    stream = service.follow(
        database,
        request_id,
        after=last_event_id,
        seconds=request.app.state.settings.progress_seconds,
    )
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )
