"""Reading bundles: the merged list, and what the answers given so far mean."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Invalid
from servicekit.paging import cut, encode_cursor, id_cursor
from services.catalogue.bundles import repository, rules, states
from services.catalogue.bundles.content import BundleContent
from services.catalogue.bundles.rules import ItemFacts, MergedMaterial
from services.catalogue.bundles.service import BundleNotFound
from services.catalogue.items.reading import ensure_staff, is_staff_of, seen_as_staff
from services.catalogue.models import Status


class AnswerUnknown(Invalid):
    code, title = "answer-unknown", "没有这个问题或者选项"


async def get(session: AsyncSession, caller: Caller | None, bundle_id: UUID) -> tuple[Any, bool]:
    """A bundle, and whether the caller sees it as staff.

    Raises:
        BundleNotFound: there is none, or it was never published and the caller is not staff.
    """
    bundle = await repository.find(session, bundle_id)
    return bundle, seen_as_staff(caller, bundle, BundleNotFound)


async def list_page(
    session: AsyncSession,
    caller: Caller | None,
    *,
    status: Status | None,
    division: str | None,
    theme: str | None,
    after: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of bundles, and the cursor of the next.

    Raises:
        Unauthenticated, WrongRole: only staff may ask for what is not public.
        CursorMalformed: `after` is none of ours.
    """
    public = status is None or status is Status.published
    if not public:
        ensure_staff(caller)
    rows = await repository.list_page(
        session,
        statuses=(status or Status.published,),
        include_drafts=not public,
        within=None if public or caller is None else caller.division,
        division=division,
        theme=theme,
        after=id_cursor(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    heads = [head(row, staff=is_staff_of(caller, row.division_code)) for row in page]
    return heads, encode_cursor(page[-1].id) if more else None


async def whole(session: AsyncSession, bundle: Any, *, staff: bool) -> dict[str, Any]:
    """One bundle, as `BundleRead` describes it."""
    content = BundleContent.model_validate(_said(bundle))
    items = await _items(session, content)
    offered = states.members(content, items)
    stages = {each.item_id: each.stage for each in content.items}
    shown = staff and bundle.draft_content is not None
    return {
        **head(bundle, staff=staff),
        "content": content.model_dump(mode="json"),
        "items": [
            {
                "item_id": each.item_id,
                "item_code": each.item_code,
                "name": each.name,
                "stage": stages[each.item_id],
            }
            for each in offered
        ],
        "materials": _materials(states.merged(content, items), items),
        "shared_fields": rules.shared_fields(each.form for each in offered),
        "status_reason": bundle.status_reason,
        "effective_on": bundle.effective_on,
        "published_at": bundle.published_at,
        "draft": bundle.draft_content if shown else None,
        "draft_author_name": bundle.draft_author_name if shown else None,
    }


async def eligibility(
    session: AsyncSession, caller: Caller | None, bundle_id: UUID, chosen: Iterable[str]
) -> dict[str, Any]:
    """What the answers mean; each is `<question>:<option>`.

    Raises:
        BundleNotFound: there is none, or it was never published and the caller is not staff.
        AnswerUnknown: an answer is none of the bundle's; all of them are listed.
    """
    bundle, _ = await get(session, caller, bundle_id)
    content = BundleContent.model_validate(_said(bundle))
    answers = _answers(content, chosen)
    items = await _items(session, content)
    offered = [each.item_id for each in states.members(content, items)]
    table = [rule for rule in content.rules if rule.item_id in items]
    verdicts = rules.decide(offered, table, answers)
    apply = {each.item_id for each in verdicts if each.applies}
    return {
        "items": [
            {
                "item_id": each.item_id,
                "item_name": items[each.item_id].name,
                "applies": each.applies,
                "because": each.because,
            }
            for each in verdicts
        ],
        "next_question": rules.next_question(
            [question.code for question in content.questions], table, answers
        ),
        "materials": _materials(states.merged(content, items, apply), items),
    }


def _answers(content: BundleContent, chosen: Iterable[str]) -> dict[str, str]:
    options = {
        f"{question.code}:{option.code}": (question.code, option.code)
        for question in content.questions
        for option in question.options
    }
    given = list(chosen)
    wrong = [each for each in given if each not in options]
    answers = dict(options[each] for each in given if each in options)
    twice = len(answers) + len(wrong) < len(set(given))
    if wrong or twice:
        raise AnswerUnknown(
            "每个问题选一个答案" if twice else "",
            errors=[
                {"path": "/option", "in": "query", "type": "answer-unknown", "message": each}
                for each in wrong
            ],
        )
    return answers


async def list_versions(
    session: AsyncSession, caller: Caller | None, bundle_id: UUID
) -> list[dict[str, Any]]:
    """The published versions, newest first; who wrote them is for staff.

    Raises:
        BundleNotFound: there is none, or it was never published and the caller is not staff.
    """
    _, staff = await get(session, caller, bundle_id)
    names = ("author_name", "approver_name")
    kept = (
        "number",
        "content",
        "published_at",
        "effective_on",
        "reason",
        *(names if staff else ()),
    )
    rows = await repository.list_versions(session, bundle_id)
    return [{name: getattr(row, name) for name in kept} for row in rows]


async def list_history(session: AsyncSession, caller: Caller, bundle_id: UUID) -> Any:
    """What was done to a bundle, newest first.

    Raises:
        BundleNotFound: there is no such bundle.
        WrongDivision: outside the caller's division.
    """
    bundle = await repository.find(session, bundle_id)
    if bundle is None:
        raise BundleNotFound
    caller.ensure_covers(bundle.division_code)
    return await repository.list_history(session, bundle_id)


def head(bundle: Any, *, staff: bool) -> dict[str, Any]:
    """A bundle in a list, as `BundleHead` describes it."""
    return {
        "id": bundle.id,
        "bundle_code": bundle.bundle_code,
        "division_code": bundle.division_code,
        "name": bundle.name,
        "summary": _said(bundle)["summary"],
        "theme": bundle.theme,
        "status": bundle.status,
        "version": bundle.current_version,
        "draft_state": bundle.draft_state if staff else None,
    }


def tag_of(bundle: Any, *, staff: bool) -> str:
    """For staff the version that If-Match wants; for others it follows the items too."""
    return f'"{bundle.version}"' if staff else f'"{bundle.version}-{bundle.revision}"'


def _said(bundle: Any) -> dict[str, Any]:
    said: dict[str, Any] = bundle.draft_content if bundle.content is None else bundle.content
    return said


async def _items(session: AsyncSession, content: BundleContent) -> dict[UUID, ItemFacts]:
    return await repository.offered_items(session, [each.item_id for each in content.items])


def _materials(
    materials: Iterable[MergedMaterial], items: Mapping[UUID, ItemFacts]
) -> list[dict[str, Any]]:
    return [
        {
            "code": each.code,
            "name": each.name,
            "necessity": each.necessity,
            "copies": each.copies,
            "notes": each.notes,
            "needed_by": [
                {"item_id": item_id, "item_name": items[item_id].name, "material_code": code}
                for item_id, code in each.needed_by
            ],
        }
        for each in materials
    ]
