"""The life of a rectification as one table: from which state, by whom, with which guard, to which.

核实 → 立行立改 | 限期整改 | 解释说明 → 反馈 → 回访 → 销号, and back when it is not solved.
Source: 国办发〔2019〕51号 and city rules on 差评 (谁办理、谁负责; 实名差评回访率 100 %).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.evaluation.models import Branch, RectificationState


class Action(StrEnum):
    """What can happen to a rectification."""

    verify = "verify"  # 核实
    fix_now = "fix-now"  # 立行立改
    fix_by_date = "fix-by-date"  # 限期整改
    explain = "explain"  # 解释说明
    reply = "reply"  # 反馈
    #: The three outcomes of 回访.
    confirm_solved = "confirm-solved"
    find_unsolved = "find-unsolved"
    miss_call = "miss-call"
    close_unreached = "close-unreached"  # 多次联系不上，销号
    extend = "extend"  # 延期
    escalate = "escalate"  # 逾期，转督办
    dispute = "dispute"  # 申诉：误评或恶意差评
    resume = "resume"  # 申诉不成立，继续整改
    rate_badly_again = "rate-badly-again"  # 追评仍为差评
    #: The bad rating no longer counts: taken back by the resident, or excluded by a review.
    withdraw_rating = "withdraw-rating"
    exclude_rating = "exclude-rating"


class Actor(StrEnum):
    """In which capacity somebody acts."""

    #: A handler of the unit that did the work.
    handler = "handler"
    #: A supervisor whose division covers the unit.
    supervisor = "supervisor"
    #: The resident whose rating it is about.
    resident = "resident"
    #: Somebody of another unit who ruled on the rating.
    reviewer = "reviewer"
    #: A timer.
    system = "system"


class Guard(StrEnum):
    """What else must hold."""

    #: Who wrote the reply does not also call back.
    another_person = "another-person"
    #: The resident was called on enough different days.
    called_often_enough = "called-often-enough"
    #: The limit has not passed, and extensions are left.
    extension_left = "extension-left"
    #: No dispute of the rating waits for a ruling.
    undisputed = "undisputed"


@dataclass(frozen=True, slots=True)
class Transition:
    action: Action
    sources: frozenset[RectificationState]
    #: None: it stays where it is.
    target: RectificationState | None
    actors: frozenset[Actor]
    guards: frozenset[Guard] = frozenset()

    def leads_to(self, state: RectificationState) -> RectificationState:
        """Where it leads from a state."""
        return state if self.target is None else self.target


S, A = RectificationState, Actor
_WORKERS = frozenset({A.handler, A.supervisor})
_CALLERS = frozenset({A.supervisor})
_OTHERS = frozenset({Guard.another_person})
_FREE = frozenset({Guard.undisputed})
#: States in which the unit's limit runs.
LIMITED = frozenset({S.opened, S.verified, S.in_progress, S.reopened})
_OPEN = frozenset(set(S) - {S.closed})
TRANSITIONS: dict[Action, Transition] = {
    transition.action: transition
    for transition in (
        Transition(Action.verify, frozenset({S.opened, S.reopened}), S.verified, _WORKERS, _FREE),
        Transition(Action.fix_now, frozenset({S.verified}), S.in_progress, _WORKERS, _FREE),
        Transition(Action.fix_by_date, frozenset({S.verified}), S.in_progress, _WORKERS, _FREE),
        Transition(Action.explain, frozenset({S.verified}), S.in_progress, _WORKERS, _FREE),
        Transition(Action.reply, frozenset({S.in_progress}), S.replied, _WORKERS, _FREE),
        Transition(Action.confirm_solved, frozenset({S.replied}), S.closed, _CALLERS, _OTHERS),
        Transition(Action.find_unsolved, frozenset({S.replied}), S.reopened, _CALLERS, _OTHERS),
        Transition(Action.miss_call, frozenset({S.replied}), None, _CALLERS, _OTHERS),
        Transition(
            Action.close_unreached,
            frozenset({S.replied}),
            S.closed,
            _CALLERS,
            frozenset({Guard.another_person, Guard.called_often_enough}),
        ),
        Transition(
            Action.rate_badly_again,
            frozenset({S.replied, S.closed}),
            S.reopened,
            frozenset({A.resident}),
        ),
        Transition(
            Action.extend,
            LIMITED,
            None,
            _CALLERS,
            frozenset({Guard.extension_left, Guard.undisputed}),
        ),
        Transition(Action.escalate, LIMITED | {S.replied}, None, frozenset({A.system})),
        Transition(Action.dispute, LIMITED, None, frozenset({A.handler}), _FREE),
        Transition(Action.resume, LIMITED, None, frozenset({A.reviewer})),
        Transition(Action.withdraw_rating, _OPEN, S.closed, frozenset({A.resident})),
        Transition(Action.exclude_rating, _OPEN, S.closed, frozenset({A.reviewer})),
    )
}
BRANCHES = {
    Action.fix_now: Branch.fix_now,
    Action.fix_by_date: Branch.fix_by_date,
    Action.explain: Branch.explain,
}
CALL_BACK = frozenset({Action.confirm_solved, Action.find_unsolved, Action.miss_call})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards look at."""

    state: RectificationState
    is_replier: bool = False
    missed_call_days: int = 0
    call_back_days: int = 1
    extensions_left: int = 0
    is_overdue: bool = False
    is_disputed: bool = False


class Refusal(StrEnum):
    """Why an action may not be taken."""

    wrong_actor = "wrong-actor"
    wrong_state = "wrong-state"
    same_person = "same-person"
    called_too_seldom = "called-too-seldom"
    no_extension_left = "no-extension-left"
    disputed = "disputed"


def _guard_refusals(facts: Facts) -> dict[Guard, Refusal | None]:
    return {
        Guard.another_person: Refusal.same_person if facts.is_replier else None,
        Guard.called_often_enough: (
            Refusal.called_too_seldom if facts.missed_call_days < facts.call_back_days else None
        ),
        Guard.extension_left: (
            Refusal.no_extension_left if facts.extensions_left <= 0 or facts.is_overdue else None
        ),
        Guard.undisputed: Refusal.disputed if facts.is_disputed else None,
    }


def refusal(action: Action, facts: Facts, actors: frozenset[Actor]) -> Refusal | None:
    """Why somebody may not act, or None; who may act is told before what is possible."""
    transition = TRANSITIONS[action]
    if transition.actors.isdisjoint(actors):
        return Refusal.wrong_actor
    if facts.state not in transition.sources:
        return Refusal.wrong_state
    refusals = _guard_refusals(facts)
    return next(
        (refusals[guard] for guard in Guard if guard in transition.guards and refusals[guard]), None
    )


def possible(facts: Facts, actors: frozenset[Actor]) -> list[Action]:
    """The actions somebody may take now."""
    return [action for action in Action if refusal(action, facts, actors) is None]


def call_back_outcome(*, reached: bool, solved: bool | None) -> Action | None:
    """What a call-back leads to; None when it claims what nobody was reached to say."""
    if reached:
        return None if solved is None else Action.confirm_solved if solved else Action.find_unsolved
    return Action.miss_call if solved is None else None


def is_overdue(state: RectificationState, due_on: date | None, today: date) -> bool:
    """Whether the unit's limit has passed without a reply."""
    return state in LIMITED and due_on is not None and today > due_on


class Light(StrEnum):
    """亮灯: how near the end of a limit is."""

    green = "green"
    yellow = "yellow"
    red = "red"


def light(
    state: RectificationState,
    due_on: date | None,
    warn_on: date | None,
    today: date,
    *,
    is_disputed: bool = False,
) -> Light | None:
    """The light of a matter; None while no limit runs or its end is not known."""
    if state not in LIMITED or due_on is None or is_disputed:
        return None
    if today > due_on:
        return Light.red
    return Light.yellow if warn_on is not None and today >= warn_on else Light.green


def missed_call_days(count: int, last_missed_on: date | None, today: date) -> int:
    """Days with calls in vain, after another one: several calls on one day count once."""
    return count if last_missed_on == today else count + 1
