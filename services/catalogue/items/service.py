"""Use cases of items: write a draft, have another hand review it, publish, pause, retire."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongRole
from servicekit.errors import Conflict, Forbidden, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now
from services.catalogue.editing import Hand, authors, changeable, remembered
from services.catalogue.items import consistent, drafts, publishing, repository, rules, steps
from services.catalogue.items.content import ItemContent
from services.catalogue.items.rules import Action
from services.catalogue.items.schemas import ItemCreate
from services.catalogue.models import DraftState, Status


class ItemNotFound(NotFound):
    code, title = "item-not-found", "没有找到这个事项"


class ItemCodeTaken(Conflict):
    code, title = "item-code-taken", "本区域已有这个编码的事项"


class ActionRefused(Conflict):
    code, title = "item-action-refused", "事项现在的状态不能这样操作"


class DraftLocked(Conflict):
    code, title = "draft-locked", "事项正在审核或已取消，不能修改"


class OwnWork(Forbidden):
    code, title = "two-hands", "不能审核自己编写的内容，请由另一人审核"


class DayUnusable(Invalid):
    code, title = "publish-on-unusable", "只有公布可以定在以后的日子，最远一年"


class ReasonMissing(Invalid):
    code, title = "reason-missing", "请写明原因"


async def create(session: AsyncSession, caller: Caller, body: ItemCreate) -> Any:
    """Start an item with its first draft.

    Raises:
        WrongDivision: outside the editor's division.
        ItemInconsistent: the content contradicts itself; every violation is listed.
    """
    caller.ensure_covers(body.division_code)
    content = body.content()
    await consistent.ensure(session, body.item_code, content, body.division_code)
    at, item_id = now(), new_id()
    await repository.add_item(
        session,
        id=item_id,
        item_code=body.item_code,
        division_code=body.division_code,
        status=Status.draft,
        version=1,
        created_at=at,
        changed_at=at,
        **publishing.listed(content),
    )
    await _put_draft(session, caller, item_id, content, before=(), at=at)
    line = remembered(Hand.of(caller), "create", None, Status.draft, at)
    await repository.add_history(session, {"item_id": item_id, **line})
    return await repository.get_item(session, item_id)


async def save_draft(
    session: AsyncSession, caller: Caller, item_id: UUID, *, expected: int, content: ItemContent
) -> Any:
    """Write the working copy; on a published item this starts the next version.

    Raises:
        ItemNotFound: there is no such item.
        WrongDivision: outside the editor's division.
        StaleVersion: somebody else changed it since it was read.
        DraftLocked: it lies with the approver, or the item is retired.
        ItemInconsistent: the content contradicts itself; every violation is listed.

    Concurrency: locks the item's row.
    """
    item = await _lock(session, caller, item_id, expected)
    status = Status(item.status)
    if not rules.may_write_draft(status, _draft_state(item)):
        raise DraftLocked
    await consistent.ensure(session, item.item_code, content, item.division_code)
    at = now()
    await _put_draft(session, caller, item_id, content, before=item.draft_authors or (), at=at)
    shown = publishing.listed(content) if item.current_version is None else {}
    await repository.change_item(session, item_id, version=expected + 1, changed_at=at, **shown)
    line = remembered(Hand.of(caller), "save", status, status, at)
    await repository.add_history(session, {"item_id": item_id, **line})
    return await repository.get_item(session, item_id)


async def act(
    session: AsyncSession,
    caller: Caller,
    item_id: UUID,
    *,
    action: Action,
    expected: int,
    reason: str | None,
    publish_on: date | None = None,
) -> Any:
    """Take one step of an item's life; with a day to come, approve its publication on that day.

    Raises:
        ItemNotFound: there is no such item.
        WrongRole, WrongDivision: the caller may not take the step.
        StaleVersion: somebody else changed it since it was read.
        ActionRefused: the item's state has no such step.
        OwnWork: the approver wrote the text.
        ReasonMissing: the step needs a reason.
        DayUnusable: the day is not one to come, or the step is not a publication.
        ItemInconsistent: the text breaks a rule that is newer than it.

    Concurrency: locks the item's row, and the catalogue's revision for a public step.
    """
    if not caller.has(*rules.roles_for(action)):
        raise WrongRole
    item = await _lock(session, caller, item_id, expected)
    step = rules.find_transition(Status(item.status), _draft_state(item), action)
    if step is None:
        raise ActionRefused
    if step.two_hands and rules.is_own_work(str(caller.account_id), item.draft_authors):
        raise OwnWork
    if step.needs_reason and reason is None:
        raise ReasonMissing
    hand = Hand.of(caller)
    if publish_on is None:
        return await steps.take(session, hand, item, action=action, step=step, reason=reason)
    if action is not Action.publish or not steps.is_to_come(publish_on):
        raise DayUnusable
    return await steps.schedule(session, hand, item, publish_on=publish_on, reason=reason)


async def _lock(session: AsyncSession, caller: Caller, item_id: UUID, expected: int) -> Any:
    item = await repository.lock_item(session, item_id)
    return changeable(caller, item, expected, ItemNotFound)


def _draft_state(item: Any) -> DraftState | None:
    return None if item.draft_state is None else DraftState(item.draft_state)


async def _put_draft(
    session: AsyncSession,
    caller: Caller,
    item_id: UUID,
    content: ItemContent,
    *,
    before: "tuple[str, ...] | list[str]",
    at: datetime,
) -> None:
    """Write the working copy; whoever wrote before stays one of its authors."""
    await drafts.put(
        session,
        item_id=item_id,
        state=DraftState.draft,
        content=publishing.stored(content),
        authors=authors(before, Hand.of(caller)),
        author_name=caller.name,
        saved_at=at,
    )
