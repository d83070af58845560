"""Pure rules of items: which action leads where, who may take it, and what an item must not say."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from services.catalogue.items.code_rules import code_violations
from services.catalogue.items.consistency import element_violations
from services.catalogue.items.content import ItemContent
from services.catalogue.items.forms import form_violations
from services.catalogue.items.national import national_violations
from services.catalogue.items.unified import unified_violations
from services.catalogue.items.violation import Violation
from services.catalogue.models import DraftState, Status

EDITOR = "catalogue-editor"
APPROVER = "catalogue-approver"
#: Who sees drafts, authors and history of the items of their division.
STAFF = (EDITOR, APPROVER, "auditor", "operator")
#: What everybody may see in lists and searches.
PUBLIC = (Status.published, Status.paused)
#: Drafts that were handed over: only the approver can do something with them.
HANDED_OVER = frozenset({DraftState.in_review, DraftState.scheduled})


class Action(StrEnum):
    """What can be done to an item beside writing its draft."""

    submit = "submit"
    publish = "publish"
    reject = "reject"
    pause = "pause"
    resume = "resume"
    retire = "retire"


@dataclass(frozen=True, slots=True)
class Transition:
    """One permitted step."""

    to: Status
    role: str
    #: What the working copy must be, one of these; empty when the step does not touch it.
    draft: frozenset[DraftState] = frozenset()
    #: What becomes of the working copy that the step touches; None when it is used up.
    draft_after: DraftState | None = None
    #: Nobody who wrote the draft may take the step.
    two_hands: bool = False
    needs_reason: bool = False
    #: The step changes what the public sees: it takes a catalogue revision and is announced.
    public: bool = False


def _submit(to: Status) -> Transition:
    return Transition(
        to, EDITOR, draft=frozenset({DraftState.draft}), draft_after=DraftState.in_review
    )


def _reject(to: Status) -> Transition:
    return Transition(
        to, APPROVER, draft=HANDED_OVER, draft_after=DraftState.draft, needs_reason=True
    )


def _publish(to: Status) -> Transition:
    return Transition(to, APPROVER, draft=HANDED_OVER, two_hands=True, public=True)


def _stop(to: Status) -> Transition:
    return Transition(to, APPROVER, needs_reason=True, public=True)


#: Status and action → step. A published or paused item keeps its status while a new text is
#: under review; publishing a new text of a paused item does not resume it.
TRANSITIONS: dict[tuple[Status, Action], Transition] = {
    (Status.draft, Action.submit): _submit(Status.in_review),
    (Status.in_review, Action.reject): _reject(Status.draft),
    (Status.in_review, Action.publish): _publish(Status.published),
    (Status.published, Action.submit): _submit(Status.published),
    (Status.published, Action.reject): _reject(Status.published),
    (Status.published, Action.publish): _publish(Status.published),
    (Status.published, Action.pause): _stop(Status.paused),
    (Status.published, Action.retire): _stop(Status.retired),
    (Status.paused, Action.submit): _submit(Status.paused),
    (Status.paused, Action.reject): _reject(Status.paused),
    (Status.paused, Action.publish): _publish(Status.paused),
    (Status.paused, Action.resume): Transition(Status.published, APPROVER, public=True),
    (Status.paused, Action.retire): _stop(Status.retired),
}


def find_transition(status: Status, draft: DraftState | None, action: Action) -> Transition | None:
    """The step an action means for an item in this state, or None when there is none."""
    transition = TRANSITIONS.get((status, action))
    if transition is None or (transition.draft and draft not in transition.draft):
        return None
    return transition


def roles_for(action: Action) -> frozenset[str]:
    """The roles that may take an action in any state."""
    return frozenset(step.role for (_, named), step in TRANSITIONS.items() if named is action)


def is_own_work(account_id: str, authors: Collection[str]) -> bool:
    """Whether somebody would approve what they wrote themselves (两人审核)."""
    return account_id in authors


def may_write_draft(status: Status, draft: DraftState | None) -> bool:
    """A text that lies with the approver, and a retired item, are not written in."""
    return status is not Status.retired and draft not in HANDED_OVER


def violations(
    item_code: str, content: ItemContent, division_code: str | None = None
) -> list[Violation]:
    """Everything that is wrong with an item, all at once.

    Without a division the codes are held against the schemes every province uses.
    """
    return [
        *element_violations(item_code, content),
        *national_violations(content),
        *code_violations(item_code, content, (division_code or "")[:2]),
        *form_violations(content),
    ]


__all__ = [
    "APPROVER", "EDITOR", "HANDED_OVER", "PUBLIC", "STAFF", "TRANSITIONS", "Action", "Transition",
    "find_transition", "is_own_work", "may_write_draft", "roles_for", "unified_violations",
    "violations",
]  # fmt: skip
