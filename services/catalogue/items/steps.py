"""Steps of an item's life as they are written down, whoever or whatever takes them."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.outbox import now
from servicekit.timers import cancel_timers, set_timer
from services.catalogue.editing import Hand, remembered
from services.catalogue.items import consistent, drafts, publishing, repository, rules
from services.catalogue.items.content import ItemContent
from services.catalogue.items.publishing import CHINA
from services.catalogue.items.rules import Action, Transition
from services.catalogue.models import DraftState, Status
from services.catalogue.revisions import next_revision

#: Kind of the timer that publishes an approved draft on its day.
PUBLISH = "publish-item"
#: A day further off is more likely a slip of the pen.
LONGEST_WAIT = timedelta(days=366)


def today() -> date:
    """The day it is in China."""
    return now().astimezone(CHINA).date()


def is_to_come(day: date) -> bool:
    """Whether a publication may be put off to a day."""
    return timedelta() < day - today() <= LONGEST_WAIT


async def take(
    session: AsyncSession,
    hand: Hand,
    item: Any,
    *,
    action: Action,
    step: Transition,
    reason: str | None,
) -> Any:
    """Take a permitted step of an item whose row is locked; returns it as it stands then.

    Raises:
        ItemInconsistent: the text breaks a rule that is newer than it.
    """
    at = now()
    number: int | None = item.current_version
    changes: dict[str, Any] = {"status": step.to}
    if action in (Action.submit, Action.publish):
        content = ItemContent.model_validate(item.draft_content)
        await consistent.ensure(session, item.item_code, content, item.division_code)
        if action is Action.publish:
            number = (number or 0) + 1
            await _publish_draft(session, hand, item, content, number, reason, at)
            changes |= {"current_version": number, **publishing.listed(content)}
    if step.draft_after is not None:
        await drafts.change_state(session, item.id, step.draft_after)
    if action in (Action.publish, Action.retire):
        await drafts.drop(session, item.id)
    if item.draft_state == DraftState.scheduled and action is not Action.pause:
        await cancel_timers(session, item.id, PUBLISH)
    if step.public:
        changes["revision"] = await next_revision(session)
    if action in (Action.pause, Action.resume, Action.retire):
        changes["status_reason"] = reason if step.needs_reason else None
    await repository.change_item(
        session, item.id, version=item.version + 1, changed_at=at, **changes
    )
    await remember(session, hand, item, action, step.to, at, number=number, reason=reason)
    changed = await repository.get_item(session, item.id)
    if step.public:
        is_new = action is Action.publish
        await publishing.announce(session, changed, at, is_new_version=is_new)
    return changed


async def schedule(
    session: AsyncSession, hand: Hand, item: Any, *, publish_on: date, reason: str | None
) -> Any:
    """Keep an approval until its day; the item's row is locked.

    Raises:
        ItemInconsistent: the text breaks a rule that is newer than it.
    """
    at, status = now(), Status(item.status)
    content = ItemContent.model_validate(item.draft_content)
    await consistent.ensure(session, item.item_code, content, item.division_code)
    await drafts.schedule(
        session, item.id, publish_on=publish_on, approver=hand.id, approver_name=hand.name,
        reason=reason,
    )  # fmt: skip
    await set_timer(session, PUBLISH, item.id, datetime.combine(publish_on, time(), CHINA))
    await repository.change_item(session, item.id, version=item.version + 1, changed_at=at)
    told = f"定于 {publish_on} 公布" + (f"：{reason}" if reason else "")
    await remember(session, hand, item, "schedule", status, at, reason=told)
    return await repository.get_item(session, item.id)


async def publish_scheduled(session: AsyncSession, item_id: UUID) -> None:
    """The timer's part: publish what was approved for today, in the name of its approver.

    A text that breaks a rule by now goes back to the approver, with the rule in its history.
    """
    item = await repository.lock_item(session, item_id)
    if item is None or item.draft_state != DraftState.scheduled:
        return
    hand, status = Hand(item.draft_approver, item.draft_approver_name), Status(item.status)
    step = rules.find_transition(status, DraftState.scheduled, Action.publish)
    if step is None:
        return
    try:
        await take(
            session, hand, item, action=Action.publish, step=step,
            reason=item.draft_approval_reason,
        )  # fmt: skip
    except consistent.ItemInconsistent as error:
        at = now()
        await drafts.change_state(session, item_id, DraftState.in_review)
        await repository.change_item(session, item_id, version=item.version + 1, changed_at=at)
        reason = "；".join(each["message"] for each in error.extra["errors"])[:300]
        await remember(session, hand, item, "publication-failed", status, at, reason=reason)


async def remember(
    session: AsyncSession,
    hand: Hand,
    item: Any,
    action: str,
    after: Status,
    at: datetime,
    *,
    number: int | None = None,
    reason: str | None = None,
) -> None:
    """Append what a hand did with an item to its history."""
    line = remembered(hand, action, Status(item.status), after, at, number=number, reason=reason)
    await repository.add_history(session, {"item_id": item.id, **line})


async def _publish_draft(
    session: AsyncSession,
    hand: Hand,
    item: Any,
    content: ItemContent,
    number: int,
    reason: str | None,
    at: datetime,
) -> None:
    await publishing.add_version(
        session,
        item.id,
        number,
        content,
        authors=item.draft_authors,
        author_name=item.draft_author_name,
        approver=hand.id,
        approver_name=hand.name,
        reason=reason,
        at=at,
    )
