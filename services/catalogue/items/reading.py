"""Reading items: what the public sees, and what staff of the division sees beside it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongRole
from servicekit.errors import NotFound, Unauthenticated
from servicekit.etags import etag
from servicekit.paging import CursorMalformed, cut, decode_cursor, encode_cursor
from services.catalogue.items import repository, rules
from services.catalogue.items.differences import differences
from services.catalogue.items.service import ItemNotFound
from services.catalogue.models import Status
from services.catalogue.vocabulary import status_text


class VersionNotFound(NotFound):
    code, title = "item-version-not-found", "没有找到事项的这个版本"


def is_staff_of(caller: Caller | None, division_code: str) -> bool:
    """Whether the caller may see drafts, authors and history there."""
    return caller is not None and caller.has(*rules.STAFF) and caller.covers(division_code)


def seen_as_staff(caller: Caller | None, row: Any | None, missing: type[NotFound]) -> bool:
    """Whether the caller sees an item or a bundle as staff.

    Raises:
        NotFound: as `missing`, there is none, or it was never published and the caller is not staff.
    """
    if row is None:
        raise missing
    staff = is_staff_of(caller, row.division_code)
    if row.current_version is None and not staff:
        raise missing
    return staff


def ensure_staff(caller: Caller | None) -> None:
    """Only staff may ask for what is not public.

    Raises:
        Unauthenticated, WrongRole: the caller is not.
    """
    if caller is None:
        raise Unauthenticated
    if not caller.has(*rules.STAFF) or caller.division is None:
        raise WrongRole


async def get(session: AsyncSession, caller: Caller | None, item_id: UUID) -> tuple[Any, bool]:
    """An item, and whether the caller sees it as staff.

    Raises:
        ItemNotFound: there is none, or it was never published and the caller is not staff.
    """
    item = await repository.find_item(session, item_id)
    return item, seen_as_staff(caller, item, ItemNotFound)


async def list_page(
    session: AsyncSession,
    caller: Caller | None,
    *,
    status: Status | None,
    division: str | None,
    category: str | None,
    department: str | None,
    basic_code: str | None = None,
    implementation_code: str | None = None,
    after: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of items in the order of their creation, and the cursor of the next.

    Raises:
        Unauthenticated, WrongRole: only staff may ask for what is not public.
        CursorMalformed: `after` is none of ours.
    """
    public = status is None or status in rules.PUBLIC
    if not public:
        ensure_staff(caller)
    rows = await repository.list_items(
        session,
        statuses=rules.PUBLIC if status is None else (status,),
        include_drafts=not public,
        within=None if public or caller is None else caller.division,
        division=division,
        category=category,
        department=department,
        basic_code=basic_code,
        implementation_code=implementation_code,
        after=_position(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    heads = [head(row, staff=is_staff_of(caller, row.division_code)) for row in page]
    return heads, encode_cursor(page[-1].id) if more else None


async def list_versions(
    session: AsyncSession, caller: Caller | None, item_id: UUID
) -> list[dict[str, Any]]:
    """The published versions of an item, newest first; who wrote them is for staff.

    Raises:
        ItemNotFound: there is none, or it was never published and the caller is not staff.
    """
    _, staff = await get(session, caller, item_id)
    versions = await repository.list_versions(session, item_id)
    return [_version_head(row, staff=staff) for row in versions]


async def get_version(
    session: AsyncSession, caller: Caller | None, item_id: UUID, number: int
) -> dict[str, Any]:
    """One published version as it stood.

    Raises:
        VersionNotFound: there is no such version.
    """
    row = await repository.find_version(session, item_id, number)
    if row is None:
        raise VersionNotFound
    return {
        **_version_head(row, staff=is_staff_of(caller, row.division_code)),
        "item_id": row.item_id,
        "item_code": row.item_code,
        "division_code": row.division_code,
        "content": row.content,
    }


async def compare(
    session: AsyncSession, caller: Caller | None, item_id: UUID, before: int, after: int | None
) -> dict[str, Any]:
    """What version `after` says differently from version `before`; without it, the draft.

    Raises:
        ItemNotFound: there is none, or it was never published and the caller is not staff.
        VersionNotFound: there is no such version, or no draft the caller may see.
    """
    item, staff = await get(session, caller, item_id)
    first = await repository.find_version(session, item_id, before)
    if after is None:
        second = item.draft_content if staff else None
    else:
        found = await repository.find_version(session, item_id, after)
        second = None if found is None else found.content
    if first is None or second is None:
        raise VersionNotFound
    changes = list(differences(first.content, second))
    return {"before": before, "after": after, "changes": changes}


async def list_history(session: AsyncSession, caller: Caller, item_id: UUID) -> Sequence[Any]:
    """What was done to an item, newest first.

    Raises:
        ItemNotFound: there is no such item.
        WrongDivision: outside the caller's division.
    """
    item = await repository.find_item(session, item_id)
    if item is None:
        raise ItemNotFound
    caller.ensure_covers(item.division_code)
    return await repository.list_history(session, item_id)


def tag_of(item: Any, *, staff: bool) -> str:
    """The ETag of an item: for staff the version that If-Match wants.

    What the public sees changes with the score as well.
    """
    if staff:
        return etag(item.version)
    return f'"{item.version}-{item.score_revision or 0}"'


def head(item: Any, *, staff: bool) -> dict[str, Any]:
    """An item in a list, as `ItemHead` describes it."""
    return {
        "id": item.id,
        "item_code": item.item_code,
        "division_code": item.division_code,
        "tier": item.tier,
        "basic_code": item.basic_code,
        "implementation_code": item.implementation_code,
        **item.head,
        **_standing(item),
        "draft_state": item.draft_state if staff else None,
    }


def whole(item: Any, *, staff: bool) -> dict[str, Any]:
    """One item, as `ItemRead` describes it."""
    draft = None
    if staff and item.draft_state is not None:
        draft = {
            "state": item.draft_state,
            "author_name": item.draft_author_name,
            "saved_at": item.draft_saved_at,
            "publish_on": item.draft_publish_on,
            "approver_name": item.draft_approver_name,
            "content": item.draft_content,
        }
    return {
        "id": item.id,
        "item_code": item.item_code,
        "division_code": item.division_code,
        **_content(item),
        **_standing(item),
        "version": item.current_version,
        "effective_on": item.effective_on,
        "published_at": item.published_at,
        "draft": draft,
    }


def _content(item: Any) -> dict[str, Any]:
    content: dict[str, Any] = item.draft_content if item.content is None else item.content
    return content


def _standing(item: Any) -> dict[str, Any]:
    status = Status(item.status)
    return {
        "status": status,
        "status_text": status_text(status, item.status_reason),
        "score": {
            "rated": item.rated or 0,
            "satisfaction_ratio": item.satisfaction_ratio,
            "average_stars": item.average_stars,
        },
    }


def _version_head(row: Any, *, staff: bool) -> dict[str, Any]:
    names = {"author_name": row.author_name, "approver_name": row.approver_name}
    return {
        "number": row.number,
        "name": row.name,
        "published_at": row.published_at,
        "effective_on": row.effective_on,
        "reason": row.reason,
        **(names if staff else {}),
    }


def _position(after: str | None) -> UUID | None:
    if after is None:
        return None
    (position,) = decode_cursor(after, 1)
    try:
        return UUID(str(position))
    except ValueError:
        raise CursorMalformed from None
