"""Drafts: kept encrypted for their owner alone, until they are handed in or their time is over."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher
from servicekit.timers import cancel_timers, set_timer
from services.requests.drafts import repository
from services.requests.drafts.schemas import DraftRead, DraftWrite

BODY = "request_draft.body"
EXPIRY = "draft-expiry"
MAX_DRAFTS = 20


class DraftNotFound(NotFound):
    code, title = "draft-not-found", "没有这份草稿，可能已经提交或过期"


class TooManyDrafts(Conflict):
    code, title = "too-many-drafts", "草稿太多，请先删除不用的草稿"


async def create(
    session: AsyncSession, cipher: Cipher, *, body: DraftWrite, caller: Caller, keep_days: int
) -> DraftRead:
    """Keep a new draft.

    Raises:
        TooManyDrafts.
    """
    if await repository.count_of(session, caller.account_id) >= MAX_DRAFTS:
        raise TooManyDrafts
    draft_id = new_id()
    values = {"id": draft_id, "version": 1, **_content(cipher, body, keep_days)}
    await repository.insert_draft(session, {"account_id": caller.account_id, **values})
    await set_timer(session, EXPIRY, draft_id, values["expires_at"])
    return DraftRead.model_validate(values | {"body": body.body})


async def get(
    session: AsyncSession, cipher: Cipher, *, draft_id: UUID, caller: Caller
) -> DraftRead:
    """A draft of the caller's own.

    Raises:
        DraftNotFound: there is none, it expired, or it is somebody else's.
    """
    row = await repository.find_draft(session, draft_id, caller.account_id)
    if row is None:
        raise DraftNotFound
    body = orjson.loads(cipher.decrypt(row.body, BODY))
    return DraftRead.model_validate(dict(row._mapping) | {"body": body})


async def change(
    session: AsyncSession,
    cipher: Cipher,
    *,
    draft_id: UUID,
    expected_version: int,
    body: DraftWrite,
    caller: Caller,
    keep_days: int,
) -> DraftRead:
    """Put new content in place of a draft's; its time starts anew.

    Raises:
        DraftNotFound, StaleVersion.

    Concurrency: locks the draft's row.
    """
    row = await repository.find_draft(session, draft_id, caller.account_id, lock=True)
    if row is None:
        raise DraftNotFound
    if row.version != expected_version:
        raise StaleVersion
    values = {"version": row.version + 1, **_content(cipher, body, keep_days)}
    await repository.update_draft(session, draft_id, values)
    await set_timer(session, EXPIRY, draft_id, values["expires_at"])
    return DraftRead.model_validate({"id": draft_id} | values | {"body": body.body})


async def remove(session: AsyncSession, *, draft_id: UUID, caller: Caller) -> None:
    """Forget a draft.

    Raises:
        DraftNotFound.
    """
    if not await repository.delete_draft(session, draft_id, caller.account_id):
        raise DraftNotFound
    await cancel_timers(session, draft_id, EXPIRY)


async def expire(session: AsyncSession, draft_id: UUID) -> None:
    """Forget a draft whose time is over."""
    await repository.delete_expired(session, draft_id, datetime.now(UTC))


def _content(cipher: Cipher, body: DraftWrite, keep_days: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "item_codes": list(body.item_codes),
        "body": cipher.encrypt(orjson.dumps(body.body).decode(), BODY),
        "updated_at": now,
        "expires_at": now + timedelta(days=keep_days),
    }


TIMERS = {EXPIRY: expire}
