"""Counting what was asked for, taking wishes, and telling the monthly lists."""

from datetime import date
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import SearchMissed
from contracts.evaluation import UnmetNeed, UnmetNeedsListed
from contracts.requests import CaseRefused
from contracts.values import DivisionCode
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid
from servicekit.identifiers import new_id
from servicekit.outbox import now, record
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor, id_cursor
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.demand import repository
from services.evaluation.demand.rules import MAX_TOPIC, MIN_TOPIC, Need, fold, gather, month_of
from services.evaluation.demand.schemas import (
    NeedListRead,
    NeedRead,
    WishCreate,
    WishRead,
    WishReceipt,
)
from services.evaluation.divisions import service as divisions
from services.evaluation.free_text import WISH_DETAIL, screen
from services.evaluation.models import NeedKind
from services.evaluation.settings import EvaluationSettings

#: Needs on one list; an event stays far below what Kafka takes.
MOST_NEEDS = 500
#: What the database's integers hold.
_MOST_ASKED = 2**31 - 1
_DIVISION: TypeAdapter[str] = TypeAdapter(DivisionCode)
_TOPIC: TypeAdapter[str] = TypeAdapter(
    Annotated[str, StringConstraints(max_length=MAX_TOPIC, pattern="^[^\\x00]*$")]
)


class TopicHoldsPersonalData(Invalid):
    code, title = "topic-holds-personal-data", "心愿名称里不要写电话、证件号、门牌等个人信息"


class WishMadeAlready(Conflict):
    code, title = "wish-made-already", "您本月已经提过这个心愿"


class TooManyWishes(Conflict):
    code, title = "too-many-wishes", "本月提出的心愿已达上限"


async def count_missed(session: AsyncSession, event: SearchMissed) -> None:
    """Count searches without results. What looks like personal data is dropped here, too."""
    if not screen(event.query).findings:
        need = Need(fold(event.query), event.division_code, searches=event.searches)
        await repository.add(session, month_of(event.occurred_on), need)


async def count_refused(session: AsyncSession, event: CaseRefused) -> None:
    """Count a refused request under the name of its item."""
    topic = fold(event.item_name)[:MAX_TOPIC]
    if len(topic) >= MIN_TOPIC:
        month = month_of(local_day(event.occurred_at))
        await repository.add(session, month, Need(topic, event.division_code, refusals=1))


async def wish(
    session: AsyncSession,
    body: WishCreate,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> WishReceipt:
    """Take a resident's wish; each topic and place counts once a resident and month.

    Raises:
        TopicHoldsPersonalData: the topic would be shown to others.
        DivisionUnknown: there is no such place.
        TooManyWishes: the month's limit is reached.
        WishMadeAlready: by the unique constraint, whoever was first.
    """
    if screen(body.topic).findings:
        raise TopicHoldsPersonalData
    await divisions.ensure_known(session, body.division_code)
    wished_at = now()
    month = month_of(local_day(wished_at))
    made = await repository.count_wishes(session, caller.account_id, month)
    if made >= settings.wishes_a_month:
        raise TooManyWishes(limit=settings.wishes_a_month)
    values: dict[str, Any] = {
        "id": new_id(),
        "month": month,
        "division_code": body.division_code,
        "topic": body.topic,
        "kind": body.kind,
        "wished_at": wished_at,
    }
    detail = cipher.encrypt(body.detail, WISH_DETAIL.context) if body.detail else None
    await repository.insert_wish(
        session, {**values, "resident_id": caller.account_id, "detail": detail}
    )
    need = Need(
        body.topic,
        body.division_code,
        wishes=1,
        service_wishes=int(body.kind is NeedKind.service),
        facility_wishes=int(body.kind is NeedKind.facility),
    )
    await repository.add(session, month, need)
    return WishReceipt(**values)


async def list_wishes(
    session: AsyncSession, caller: Caller, cipher: Cipher, *, after: str | None, limit: int
) -> Page[WishRead]:
    """The caller's own wishes, newest first."""
    rows = await repository.list_wishes(
        session, caller.account_id, before=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    return Page(
        items=[_own(row, cipher) for row in page],
        next=encode_cursor(page[-1].id) if more else None,
    )


def _own(row: Any, cipher: Cipher) -> WishRead:
    detail = cipher.decrypt(row.detail, WISH_DETAIL.context) if row.detail else None
    return WishRead(**{**row._mapping, "detail": detail})


async def list_needs(
    session: AsyncSession,
    caller: Caller,
    *,
    division_code: str,
    month: date | None,
    after: str | None,
    limit: int,
) -> Page[NeedRead]:
    """What was asked for in a division in a month, counted up to this moment.

    Raises:
        WrongDivision: it lies outside the caller's.
    """
    caller.ensure_covers(division_code)
    rows = await repository.list_counts(
        session,
        division_code,
        month_of(month or local_day(now())),
        after=_need_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    last = page[-1] if more else None
    return Page(
        items=[_shown(repository.need_of(row)) for row in page],
        next=encode_cursor(last.asked, last.division_code, last.topic) if last else None,
    )


def _need_position(after: str | None) -> tuple[int, str, str] | None:
    if after is None:
        return None
    asked, division_code, topic = decode_cursor(after, 3)
    if type(asked) is not int or not 0 <= asked <= _MOST_ASKED:
        raise CursorMalformed
    try:
        return asked, _DIVISION.validate_python(division_code), _TOPIC.validate_python(topic)
    except ValueError:
        raise CursorMalformed from None


def _shown(need: Need) -> NeedRead:
    return NeedRead(
        topic=need.topic,
        division_code=need.division_code,
        searches=need.searches,
        wishes=need.wishes,
        refusals=need.refusals,
        asked=need.asked,
        kind=need.kind,
    )


async def tell_lists(session: AsyncSession, month: date, settings: EvaluationSettings) -> int:
    """Write and tell the lists that are due up to a month; return how many."""
    told = 0
    for row in await repository.list_unlisted(session, month):
        told += await _tell(session, row.listed_for, row.month, settings)
    return told


async def _tell(
    session: AsyncSession, county: str, month: date, settings: EvaluationSettings
) -> bool:
    counts = [repository.need_of(row) for row in await repository.counts_of(session, month, county)]
    needs = gather(counts, minimum=settings.needs_minimum, most=MOST_NEEDS)
    list_id, listed_at = new_id(), now()
    shown = [_shown(need).model_dump(mode="json") for need in needs]
    if not await repository.write_list(session, list_id, county, month, shown, listed_at):
        return False
    if needs:
        event = UnmetNeedsListed(
            list_id=list_id,
            division_code=county,
            month=month,
            needs=tuple(UnmetNeed.model_validate(need) for need in shown),
            occurred_at=listed_at,
        )
        await record(session, event)
    return True


async def list_lists(
    session: AsyncSession, division_code: str | None, *, after: str | None, limit: int
) -> Page[NeedListRead]:
    """Lists told, newest month first."""
    rows = await repository.lists(
        session, division_code, after=_list_position(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    cursor = encode_cursor(page[-1].month, page[-1].division_code) if more else None
    return Page(items=[NeedListRead(**row._mapping) for row in page], next=cursor)


def _list_position(after: str | None) -> tuple[date, str] | None:
    if after is None:
        return None
    month, division_code = decode_cursor(after, 2)
    try:
        return date.fromisoformat(month), _DIVISION.validate_python(division_code)
    except (TypeError, ValueError):
        raise CursorMalformed from None
