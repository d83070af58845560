"""Notices: written once for each event, read by their receiver alone."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Envelope, Event
from contracts.evaluation import CaseRatingEvent
from contracts.exchange import NoticeDelivered
from contracts.facilities import BookingEvent
from contracts.requests import RequestClaimed, RequestEvent
from servicekit import outbox
from servicekit.errors import NotFound
from servicekit.identifiers import new_id
from servicekit.paging import Page, cut, encode_cursor
from services.exchange.metrics import NOTICES_DELIVERED, NOTICES_READ
from services.exchange.notices import repository
from services.exchange.notices.schemas import MarkedRead, NoticeRead, UnreadCount
from services.exchange.notices.templates import Templates


class NoticeNotFound(NotFound):
    """Also the answer about somebody else's notice: whether it exists is nobody else's business."""

    code, title = "notice-not-found", "没有这条通知"


async def follow(session: AsyncSession, claimed: RequestClaimed) -> None:
    """Let an account that has claimed a request be told about it, and read what was told before.

    What was told to an id that is nobody's account goes to the applicant's.
    """
    cases = {case.case_id: case.case_number for case in claimed.cases}
    await repository.add_reader(session, (claimed.request_id, *cases), claimed.account_id)
    if _leaves_nobody(claimed):
        await repository.readdress(
            session,
            claimed.applicant_id,
            claimed.account_id,
            request_number=claimed.request_number,
            cases=list(cases.values()),
        )


async def receivers_of(
    session: AsyncSession, event: RequestEvent | CaseRatingEvent | BookingEvent
) -> list[UUID]:
    """The applicant's account, and those that have claimed the request."""
    about = [
        getattr(event, name)
        for name in ("request_id", "case_id")
        if name in type(event).model_fields
    ]
    readers = await repository.list_readers(session, about) if about else ()
    if isinstance(event, RequestClaimed) and _leaves_nobody(event):
        return list(readers)
    return list(dict.fromkeys((event.applicant_id, *readers)))


def _leaves_nobody(claimed: RequestClaimed) -> bool:
    """Whether the applicant's id was nobody's account, and has one to speak for it now."""
    return claimed.taken_in_by_staff and claimed.claimed_as == "applicant"


async def deliver(
    session: AsyncSession,
    templates: Templates,
    event: Event,
    envelope: Envelope,
    *,
    receiver_id: UUID,
) -> None:
    """Put a notice of an event into its receiver's inbox. Idempotent by event id and receiver."""
    template = templates.find(event)
    title, body = template.words(event)
    notice_id, now = new_id(), outbox.now()
    is_new = await repository.add(
        session,
        {
            "id": notice_id,
            "receiver_id": receiver_id,
            "template": template.code,
            "title": title,
            "body": body,
            "request_number": getattr(event, "request_number", None),
            "case_number": getattr(event, "case_number", None),
            "event_id": envelope.id,
            "created_at": now,
        },
    )
    if not is_new:
        return
    NOTICES_DELIVERED.labels(template.code).inc()
    await outbox.record(
        session,
        NoticeDelivered(
            notice_id=notice_id,
            receiver_id=receiver_id,
            template=template.code,
            channel="in-app",
            occurred_at=now,
        ),
    )


async def list_notices(
    session: AsyncSession, receiver_id: UUID, *, unread: bool, before: UUID | None, limit: int
) -> Page[NoticeRead]:
    """A receiver's notices, newest first."""
    rows = await repository.list_notices(
        session, receiver_id, unread=unread, before=before, limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    notices = [NoticeRead.model_validate(dict(row._mapping)) for row in page]
    return Page(items=notices, next=encode_cursor(notices[-1].id) if more else None)


async def count_unread(session: AsyncSession, receiver_id: UUID) -> UnreadCount:
    """How many notices a receiver has not read."""
    return UnreadCount(unread=await repository.count_unread(session, receiver_id))


async def mark_read(session: AsyncSession, receiver_id: UUID, notice_id: UUID) -> NoticeRead:
    """Note that a notice was read; the first time counts.

    Raises:
        NoticeNotFound: the receiver has no such notice.
    """
    marked = await repository.mark_read(session, receiver_id, now=outbox.now(), only=notice_id)
    NOTICES_READ.inc(marked)
    row = await repository.find(session, receiver_id, notice_id)
    if row is None:
        raise NoticeNotFound
    return NoticeRead.model_validate(dict(row._mapping))


async def mark_all_read(
    session: AsyncSession, receiver_id: UUID, *, up_to: UUID | None
) -> MarkedRead:
    """Note that every notice was read, or every one up to the newest that was on the screen."""
    marked = await repository.mark_read(session, receiver_id, now=outbox.now(), up_to=up_to)
    NOTICES_READ.inc(marked)
    return MarkedRead(marked=marked)
