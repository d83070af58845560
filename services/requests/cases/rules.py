"""The life of a case as one table: from which state, by whom, with which guard, to which state."""

from dataclasses import dataclass
from enum import StrEnum

from services.requests.models import CaseState


class Action(StrEnum):
    """What can be done to a case."""

    dispatch = "dispatch"  # 人工派单
    request_correction = "request-correction"  # 补正告知
    answer_correction = "answer-correction"  # 补正
    accept = "accept"  # 受理
    deem_accepted = "deem-accepted"  # 视为受理
    refuse = "refuse"  # 不予受理
    decide = "decide"  # 决定
    complete = "complete"  # 办结
    withdraw = "withdraw"  # 撤回


class Actor(StrEnum):
    """In which capacity somebody acts on a case."""

    applicant = "applicant"
    #: A window clerk whose division covers the case.
    window = "window"
    #: A handler of the deciding unit.
    handler = "handler"
    #: A supervisor whose division covers the case.
    supervisor = "supervisor"
    #: The clock.
    system = "system"


class Guard(StrEnum):
    """What else must hold."""

    #: 一次性告知: no notice was issued before.
    no_notice_before = "no-notice-before"
    #: A deciding unit is known.
    has_unit = "has-unit"


@dataclass(frozen=True, slots=True)
class Transition:
    action: Action
    sources: frozenset[CaseState]
    target: CaseState
    actors: frozenset[Actor]
    guards: frozenset[Guard] = frozenset()


S, A = CaseState, Actor
TRANSITIONS: dict[Action, Transition] = {
    transition.action: transition
    for transition in (
        Transition(Action.dispatch, frozenset({S.received}), S.received, frozenset({A.supervisor})),
        Transition(
            Action.request_correction,
            frozenset({S.received}),
            S.correcting,
            frozenset({A.window, A.handler}),
            frozenset({Guard.no_notice_before}),
        ),
        Transition(
            Action.answer_correction,
            frozenset({S.correcting}),
            S.received,
            frozenset({A.applicant}),
        ),
        Transition(
            Action.accept,
            frozenset({S.received}),
            S.accepted,
            frozenset({A.window, A.handler}),
            frozenset({Guard.has_unit}),
        ),
        Transition(
            Action.deem_accepted, frozenset({S.received}), S.accepted, frozenset({A.system})
        ),
        Transition(
            Action.refuse, frozenset({S.received}), S.refused, frozenset({A.window, A.handler})
        ),
        Transition(Action.decide, frozenset({S.accepted}), S.decided, frozenset({A.handler})),
        Transition(Action.complete, frozenset({S.decided}), S.completed, frozenset({A.handler})),
        Transition(
            Action.withdraw,
            frozenset({S.received, S.correcting, S.accepted}),
            S.withdrawn,
            frozenset({A.applicant}),
        ),
    )
}
FINAL = frozenset({S.refused, S.completed, S.withdrawn})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards look at."""

    state: CaseState
    has_notice: bool
    has_unit: bool


class Refusal(StrEnum):
    """Why a transition may not be made."""

    wrong_actor = "wrong-actor"
    wrong_state = "wrong-state"
    notice_given_already = "notice-given-already"
    no_unit_yet = "no-unit-yet"


def refusal(action: Action, facts: Facts, actors: frozenset[Actor]) -> Refusal | None:
    """Why somebody may not act, or None; who may act is told before what is possible."""
    transition = TRANSITIONS[action]
    if transition.actors.isdisjoint(actors):
        return Refusal.wrong_actor
    if facts.state not in transition.sources:
        return Refusal.wrong_state
    if Guard.no_notice_before in transition.guards and facts.has_notice:
        return Refusal.notice_given_already
    if Guard.has_unit in transition.guards and not facts.has_unit:
        return Refusal.no_unit_yet
    return None


def possible(facts: Facts, actors: frozenset[Actor]) -> list[Action]:
    """The actions somebody may take now."""
    return [action for action in Action if refusal(action, facts, actors) is None]
