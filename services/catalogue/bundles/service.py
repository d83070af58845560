"""Use cases of bundles: write a draft, have another hand review it, publish, retire, follow items."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongRole
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now, record
from services.catalogue.bundles import repository, states
from services.catalogue.bundles.consistency import violations
from services.catalogue.bundles.content import BundleContent
from services.catalogue.bundles.schemas import BundleCreate
from services.catalogue.editing import Hand, authors, changeable, remembered
from services.catalogue.items import rules as hands
from services.catalogue.items.publishing import CHINA
from services.catalogue.items.rules import Action, Transition
from services.catalogue.items.service import ActionRefused, DraftLocked, OwnWork, ReasonMissing
from services.catalogue.models import DraftState, Status
from services.catalogue.revisions import next_revision
from services.catalogue.words import spell_all

#: A bundle is offered or not; what pauses are its items.
BundleAction = Literal["submit", "publish", "reject", "retire"]


class BundleNotFound(NotFound):
    code, title = "bundle-not-found", "没有找到这件事"


class BundleInconsistent(Invalid):
    code, title = "bundle-inconsistent", "内容前后不一致，请按提示逐条修改"


class BundleCodeTaken(Conflict):
    code, title = "bundle-code-taken", "本区域已有这个编码的一件事"


async def create(session: AsyncSession, caller: Caller, body: BundleCreate) -> Any:
    """Start a bundle with its first draft.

    Raises:
        WrongDivision: outside the editor's division.
        BundleInconsistent: the content contradicts itself or the items; all of it is listed.
    """
    caller.ensure_covers(body.division_code)
    content = body.content()
    await _ensure_consistent(session, body.division_code, content)
    at, bundle_id = now(), new_id()
    await repository.add(
        session,
        id=bundle_id,
        bundle_code=body.bundle_code,
        division_code=body.division_code,
        status=Status.draft,
        version=1,
        name=content.name,
        theme=content.theme,
        created_at=at,
        changed_at=at,
    )
    await _put_draft(session, caller, bundle_id, content, before=(), at=at)
    await _remember(session, caller, bundle_id, "create", None, Status.draft, at)
    return await repository.find(session, bundle_id)


async def save_draft(
    session: AsyncSession, caller: Caller, bundle_id: UUID, *, expected: int, content: BundleContent
) -> Any:
    """Write the working copy; on a published bundle this starts the next version.

    Raises:
        BundleNotFound, WrongDivision, StaleVersion: as for every change.
        DraftLocked: it lies with the approver, or the bundle is retired.
        BundleInconsistent: the content contradicts itself or the items; all of it is listed.

    Concurrency: locks the bundle's row.
    """
    bundle = await _lock(session, caller, bundle_id, expected)
    status = Status(bundle.status)
    if not hands.may_write_draft(status, _draft_state(bundle)):
        raise DraftLocked
    await _ensure_consistent(session, bundle.division_code, content)
    at = now()
    await _put_draft(session, caller, bundle_id, content, before=bundle.draft_authors or (), at=at)
    shown = _listed(content) if bundle.current_version is None else {}
    await repository.change(session, bundle_id, version=expected + 1, changed_at=at, **shown)
    await _remember(session, caller, bundle_id, "save", status, status, at)
    return await repository.find(session, bundle_id)


async def act(
    session: AsyncSession,
    caller: Caller,
    bundle_id: UUID,
    *,
    action: BundleAction,
    expected: int,
    reason: str | None,
) -> Any:
    """Take one step of a bundle's life: the same steps and hands as an item's.

    Raises:
        BundleNotFound, WrongRole, WrongDivision, StaleVersion: as for every change.
        ActionRefused: the bundle's state has no such step.
        OwnWork: the approver wrote the text.
        ReasonMissing: the step needs a reason.
        BundleInconsistent: an item was changed or retired since the text was written.

    Concurrency: locks the bundle's row, and the catalogue's revision for a public step.
    """
    named = Action(action)
    if not caller.has(*hands.roles_for(named)):
        raise WrongRole
    bundle = await _lock(session, caller, bundle_id, expected)
    step = hands.find_transition(Status(bundle.status), _draft_state(bundle), named)
    if step is None:
        raise ActionRefused
    if step.two_hands and hands.is_own_work(str(caller.account_id), bundle.draft_authors):
        raise OwnWork
    if step.needs_reason and reason is None:
        raise ReasonMissing
    await _take(session, caller, bundle, action=named, step=step, reason=reason)
    return await repository.find(session, bundle_id)


async def _take(
    session: AsyncSession,
    caller: Caller,
    bundle: Any,
    *,
    action: Action,
    step: Transition,
    reason: str | None,
) -> None:
    at, number = now(), bundle.current_version
    changes: dict[str, Any] = {"status": step.to}
    if action in (Action.submit, Action.publish):
        content = BundleContent.model_validate(bundle.draft_content)
        await _ensure_consistent(session, bundle.division_code, content)
        if action is Action.publish:
            number = (number or 0) + 1
            await _publish_draft(session, caller, bundle, content, number, reason, at)
            changes |= {"current_version": number, **_listed(content)}
    if step.draft_after is not None:
        await repository.change_draft_state(session, bundle.id, step.draft_after)
    if action in (Action.publish, Action.retire):
        await repository.drop_draft(session, bundle.id)
    if action is Action.retire:
        changes["status_reason"] = reason
    if step.public:
        changes["revision"] = await next_revision(session)
    await repository.change(
        session, bundle.id, version=bundle.version + 1, changed_at=at, **changes
    )
    before = Status(bundle.status)
    await _remember(
        session, caller, bundle.id, action, before, step.to, at, number=number, reason=reason
    )
    if step.public:
        await _announce(session, bundle.id, at)


async def list_published(session: AsyncSession) -> Any:
    """Every bundle the public sees, for search."""
    return await repository.list_published(session)


async def follow_item(session: AsyncSession, item_id: UUID, *, revision: int) -> None:
    """Tell bundles again whose merged list an item's new state may have changed.

    A bundle that was told after that state knows it already.

    Concurrency: locks the bundles, then the catalogue's revision.
    """
    at = now()
    for bundle in await repository.lock_with_item(session, item_id):
        if bundle.revision >= revision:
            continue
        await repository.change(
            session,
            bundle.id,
            version=bundle.version,
            changed_at=at,
            revision=await next_revision(session),
        )
        await _announce(session, bundle.id, at)


async def _announce(session: AsyncSession, bundle_id: UUID, at: datetime) -> None:
    bundle = await repository.find(session, bundle_id)
    assert bundle is not None
    content = BundleContent.model_validate(bundle.content)
    items = await repository.offered_items(session, [each.item_id for each in content.items])
    await record(session, states.event_of(bundle, items, at))


async def _publish_draft(
    session: AsyncSession,
    caller: Caller,
    bundle: Any,
    content: BundleContent,
    number: int,
    reason: str | None,
    at: datetime,
) -> None:
    await repository.add_version(
        session,
        bundle_id=bundle.id,
        number=number,
        content=content.model_dump(mode="json"),
        spelling=spell_all((content.name, *content.aliases)),
        authors=bundle.draft_authors,
        author_name=bundle.draft_author_name,
        approver=str(caller.account_id),
        approver_name=caller.name,
        reason=reason,
        published_at=at,
        effective_on=at.astimezone(CHINA).date(),
    )
    await repository.put_members(session, bundle.id, [each.item_id for each in content.items])


async def _lock(session: AsyncSession, caller: Caller, bundle_id: UUID, expected: int) -> Any:
    bundle = await repository.lock(session, bundle_id)
    return changeable(caller, bundle, expected, BundleNotFound)


def _listed(content: BundleContent) -> dict[str, Any]:
    return {"name": content.name, "theme": content.theme}


def _draft_state(bundle: Any) -> DraftState | None:
    return None if bundle.draft_state is None else DraftState(bundle.draft_state)


async def _ensure_consistent(
    session: AsyncSession, division_code: str, content: BundleContent
) -> None:
    items = await repository.offered_items(session, [each.item_id for each in content.items])
    found = violations(division_code, content, items)
    if found:
        raise BundleInconsistent(errors=[violation.as_error() for violation in found])


async def _put_draft(
    session: AsyncSession,
    caller: Caller,
    bundle_id: UUID,
    content: BundleContent,
    *,
    before: "tuple[str, ...] | list[str]",
    at: datetime,
) -> None:
    await repository.put_draft(
        session,
        bundle_id=bundle_id,
        state=DraftState.draft,
        content=content.model_dump(mode="json"),
        authors=authors(before, Hand.of(caller)),
        author_name=caller.name,
        saved_at=at,
    )


async def _remember(
    session: AsyncSession,
    caller: Caller,
    bundle_id: UUID,
    action: str,
    before: Status | None,
    after: Status,
    at: datetime,
    *,
    number: int | None = None,
    reason: str | None = None,
) -> None:
    line = remembered(Hand.of(caller), action, before, after, at, number=number, reason=reason)
    await repository.add_history(session, {"bundle_id": bundle_id, **line})
