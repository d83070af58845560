"""Use cases of sheets of items: approve what an import wrote, publish it bit by bit, export."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, NotFound
from servicekit.outbox import now
from servicekit.timers import set_timer
from services.catalogue.editing import Hand
from services.catalogue.items import repository as items
from services.catalogue.items import rules, steps
from services.catalogue.items.consistent import ItemInconsistent
from services.catalogue.items.rules import Action
from services.catalogue.items.service import OwnWork
from services.catalogue.models import DraftState, Status
from services.catalogue.sheets import derived, reading, repository
from services.catalogue.sheets.columns import Layout

#: Kind of the timer that goes on publishing an approved import.
PUBLISH_IMPORT = "publish-import"
#: Items published in one transaction; each takes the catalogue's lock only once.
BATCH = 50


class ImportNotFound(NotFound):
    code, title = "import-not-found", "没有找到这次导入"


class ApprovalNotFound(NotFound):
    code, title = "approval-not-found", "这次导入还没有批准"


class ImportNotApprovable(Conflict):
    code, title = "import-not-approvable", "只有已完成的正式导入可以批准，且只能批准一次"


async def approve(session: AsyncSession, caller: Caller, import_id: UUID, *, reason: str) -> Any:
    """Decide that every draft of an import is published; the worker does it, batch by batch.

    Raises:
        ImportNotFound: there is no such import of items.
        WrongDivision: outside the approver's division.
        OwnWork: the approver handed the file in.
        ImportNotApprovable: it has not finished, was a dry run, or was approved before.

    Concurrency: locks the import's row.
    """
    job = await repository.find_job(session, import_id, lock=True)
    if job is None:
        raise ImportNotFound
    caller.ensure_covers(job.division_code)
    if job.owner_id == caller.account_id:
        raise OwnWork
    known = await repository.find_approval(session, import_id)
    if job.state != "finished" or job.is_dry_run or known is not None:
        raise ImportNotApprovable
    at = now()
    await repository.add_approval(
        session, import_id=import_id, approver=str(caller.account_id), approver_name=caller.name,
        reason=reason, decided_at=at,
    )  # fmt: skip
    await set_timer(session, PUBLISH_IMPORT, import_id, at)
    return await standing(session, import_id)


async def get_approval(session: AsyncSession, caller: Caller, import_id: UUID) -> Any:
    """How far an approved import has got.

    Raises:
        ImportNotFound, ApprovalNotFound: there is none.
        WrongDivision: outside the caller's division.
    """
    job = await repository.find_job(session, import_id)
    if job is None:
        raise ImportNotFound
    caller.ensure_covers(job.division_code)
    return await standing(session, import_id)


async def standing(session: AsyncSession, import_id: UUID) -> dict[str, Any]:
    """An approval with the number of drafts that still wait."""
    approval = await repository.find_approval(session, import_id)
    if approval is None:
        raise ApprovalNotFound
    waiting = await repository.count_waiting(session, import_id)
    return {**approval._asdict(), "waiting": waiting}


async def publish_batch(session: AsyncSession, import_id: UUID) -> None:
    """The timer's part: publish some drafts of an approved import, and come again for the rest."""
    approval = await repository.find_approval(session, import_id)
    if approval is None:
        return
    hand = Hand(approval.approver, approval.approver_name)
    waiting = await repository.list_waiting(session, import_id, BATCH)
    published = 0
    for item_id in waiting:
        if await _publish(session, hand, item_id, approval.reason):
            published += 1
        else:
            await repository.let_go(session, item_id)
    is_over = len(waiting) < BATCH
    await repository.count_approved(
        session, import_id, published=published, left_over=len(waiting) - published,
        is_over=is_over,
    )  # fmt: skip
    if not is_over:
        await set_timer(session, PUBLISH_IMPORT, import_id, now())


async def _publish(session: AsyncSession, hand: Hand, item_id: UUID, reason: str | None) -> bool:
    """Publish one; False when another hand, or a correction, is wanted first."""
    item = await items.lock_item(session, item_id)
    assert item is not None
    step = rules.find_transition(Status(item.status), DraftState.in_review, Action.publish)
    is_ready = step is not None and item.draft_state == DraftState.in_review
    if not is_ready or step is None or rules.is_own_work(hand.id, item.draft_authors):
        return False
    try:
        await steps.take(session, hand, item, action=Action.publish, step=step, reason=reason)
    except ItemInconsistent:
        return False
    return True


async def published_rows(
    session: AsyncSession, at: Layout, division: str
) -> AsyncIterator[list[Any]]:
    """Published items of a subtree of divisions as rows."""
    async for row in repository.iterate_items(session, division, rules.PUBLIC):
        cells = reading.write_row(at, row.item_code, row.division_code, row.content)
        yield [*cells, *derived.written(at, row)]


async def published_items(session: AsyncSession, division: str) -> AsyncIterator[dict[str, Any]]:
    """The same as whole items, to be imported again."""
    async for row in repository.iterate_items(session, division, rules.PUBLIC):
        codes = {"item_code": row.item_code, "division_code": row.division_code}
        yield {**codes, **row.content}
