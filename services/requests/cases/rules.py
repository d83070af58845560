"""The life of a case as one table: from which state, by whom, with which guard, to which state."""

from dataclasses import dataclass
from enum import StrEnum

from services.requests.models import CaseState


class Action(StrEnum):
    """What can be done to a case."""

    dispatch = "dispatch"  # 人工派单
    send_back = "send-back"  # 退回派单
    claim = "claim"  # 领取
    hand_over = "hand-over"  # 移交
    put_back = "put-back"  # 退回清单
    request_correction = "request-correction"  # 补正告知
    answer_correction = "answer-correction"  # 补正
    lapse = "lapse"  # 补正不来
    accept = "accept"  # 受理
    deem_accepted = "deem-accepted"  # 视为受理
    refuse = "refuse"  # 不予受理
    review = "review"  # 审查
    pause = "pause"  # 特别程序
    resume = "resume"  # 特别程序结束
    extend = "extend"  # 延期
    hand_up = "hand-up"  # 上交乡镇（街道）
    transfer = "transfer"  # 转报
    transfer_out = "transfer-out"  # 转报办结
    consult = "consult"  # 并联征求意见
    give_opinion = "give-opinion"  # 会签意见
    hand_in = "hand-in"  # 容缺后补
    miss_follow_up = "miss-follow-up"  # 后补逾期
    check_commitment = "check-commitment"  # 承诺核查
    decide = "decide"  # 决定
    record_payment = "record-payment"  # 缴费登记
    complete = "complete"  # 办结
    deliver = "deliver"  # 送达
    withdraw = "withdraw"  # 撤回
    void = "void"  # 作废、删除
    reopen = "reopen"  # 重办
    archive = "archive"  # 归档
    reschedule = "reschedule"  # 改期


class Actor(StrEnum):
    """In which capacity somebody acts on a case."""

    applicant = "applicant"
    #: A window clerk whose division covers the case.
    window = "window"
    #: A handler of the deciding unit.
    handler = "handler"
    #: An agent of the village that has the case.
    village = "village"
    #: A handler of a unit that was asked for its opinion and has not given it.
    consulted = "consulted"
    #: Who has the case.
    assignee = "assignee"
    #: A supervisor whose division covers the case.
    supervisor = "supervisor"
    #: The clock, and events of other services.
    system = "system"


class Guard(StrEnum):
    """What else must hold."""

    #: 一次性告知: no notice was issued before.
    no_notice_before = "no-notice-before"
    #: A deciding unit is known.
    has_unit = "has-unit"
    #: Nobody has it.
    is_free = "is-free"
    #: Somebody has it.
    is_taken = "is-taken"
    #: The day by which the notice had to be answered is over.
    correction_overdue = "correction-overdue"
    #: 延期 only once. Source: 行政许可法 art. 42.
    not_extended = "not-extended"
    #: 并联: everybody who was asked has answered.
    opinions_given = "opinions-given"
    #: Not granted against the opinion of a unit that was asked.
    no_objection = "no-objection"
    #: Not granted while a deferred material is missing.
    nothing_deferred = "nothing-deferred"
    #: A commitment waits for its check.
    has_commitment = "has-commitment"
    #: A deferred material has not been handed in.
    has_deferred = "has-deferred"
    not_archived = "not-archived"
    #: There is a decision to deliver.
    was_decided = "was-decided"
    #: 作废、删除 is for good.
    not_voided = "not-voided"


@dataclass(frozen=True, slots=True)
class Transition:
    action: Action
    sources: frozenset[CaseState]
    #: None: the case stays in its state.
    target: CaseState | None
    actors: frozenset[Actor]
    guards: frozenset[Guard] = frozenset()

    def leads_to(self, state: CaseState) -> CaseState:
        """The state after it."""
        return self.target or state


S, A, G = CaseState, Actor, Guard
OPEN = frozenset({S.received, S.correcting, S.accepted, S.paused, S.decided})
FINAL = frozenset({S.refused, S.withdrawn})
#: Completed: commitments are still checked, and the case may be done again.
DONE = frozenset({S.completed, S.delivered})
ENDED = FINAL | DONE


def _row(
    action: Action,
    sources: CaseState | frozenset[CaseState],
    target: CaseState | None,
    actors: Actor | frozenset[Actor],
    *guards: Guard,
) -> Transition:
    return Transition(
        action,
        frozenset({sources}) if isinstance(sources, CaseState) else sources,
        target,
        frozenset({actors}) if isinstance(actors, Actor) else actors,
        frozenset(guards),
    )


_STAFF = frozenset({A.window, A.handler})
_IN_HAND = frozenset({S.accepted, S.paused, S.decided})
TRANSITIONS: dict[Action, Transition] = {
    row.action: row
    for row in (
        _row(Action.dispatch, frozenset({S.received, S.accepted}), None, A.supervisor),
        _row(Action.hand_up, frozenset({S.received, S.accepted}), None, A.village),
        _row(Action.send_back, S.received, None, A.handler, G.has_unit),
        _row(Action.claim, OPEN, None, _STAFF, G.is_free),
        _row(Action.hand_over, OPEN, None, frozenset({A.assignee, A.supervisor}), G.is_taken),
        _row(Action.put_back, OPEN, None, frozenset({A.assignee, A.supervisor}), G.is_taken),
        _row(Action.request_correction, S.received, S.correcting, _STAFF, G.no_notice_before),
        _row(Action.answer_correction, S.correcting, S.received, A.applicant),
        _row(Action.lapse, S.correcting, S.completed, A.system, G.correction_overdue),
        _row(Action.accept, S.received, S.accepted, _STAFF, G.has_unit),
        _row(Action.deem_accepted, S.received, S.accepted, A.system),
        _row(Action.refuse, S.received, S.refused, _STAFF),
        _row(Action.review, S.accepted, None, A.handler),
        _row(Action.pause, S.accepted, S.paused, A.handler),
        _row(Action.resume, S.paused, S.accepted, A.handler),
        _row(Action.extend, S.accepted, None, A.supervisor, G.not_extended),
        _row(Action.transfer, S.accepted, None, A.handler),
        _row(Action.transfer_out, S.accepted, S.completed, A.handler),
        _row(Action.consult, S.accepted, None, A.handler),
        _row(Action.give_opinion, frozenset({S.accepted, S.paused}), None, A.consulted),
        _row(Action.hand_in, _IN_HAND, None, frozenset({A.applicant, A.window}), G.has_deferred),
        _row(Action.miss_follow_up, _IN_HAND, None, A.system),
        _row(
            Action.check_commitment,
            _IN_HAND | DONE,
            None,
            A.handler,
            G.has_commitment,
            G.not_voided,
        ),
        _row(
            Action.decide,
            S.accepted,
            S.decided,
            A.handler,
            G.opinions_given,
            G.no_objection,
            G.nothing_deferred,
        ),
        _row(Action.record_payment, _IN_HAND, None, _STAFF),
        _row(Action.complete, S.decided, S.completed, A.handler),
        _row(Action.deliver, S.completed, S.delivered, _STAFF, G.was_decided),
        _row(
            Action.withdraw,
            frozenset({S.received, S.correcting, S.accepted, S.paused}),
            S.withdrawn,
            A.applicant,
        ),
        _row(Action.void, OPEN, S.completed, A.supervisor),
        _row(
            Action.reopen,
            DONE,
            S.accepted,
            frozenset({A.supervisor, A.system}),
            G.has_unit,
            G.not_voided,
        ),
        _row(Action.archive, ENDED, None, A.system, G.not_archived),
        _row(Action.reschedule, OPEN, None, A.system),
    )
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards look at."""

    state: CaseState
    has_notice: bool
    has_unit: bool
    is_taken: bool = False
    correction_overdue: bool = False
    is_extended: bool = False
    #: Units asked that have not answered.
    opinions_wanted: int = 0
    has_objection: bool = False
    has_deferred: bool = False
    has_commitment: bool = False
    is_archived: bool = False
    was_decided: bool = False
    is_voided: bool = False
    #: Whether the act would grant what was applied for.
    grants: bool = False


class Refusal(StrEnum):
    """Why a transition may not be made."""

    wrong_actor = "wrong-actor"
    wrong_state = "wrong-state"
    notice_given_already = "notice-given-already"
    no_unit_yet = "no-unit-yet"
    taken_already = "taken-already"
    not_taken = "not-taken"
    correction_not_overdue = "correction-not-overdue"
    extended_already = "extended-already"
    opinions_missing = "opinions-missing"
    objected = "objected"
    materials_outstanding = "materials-outstanding"
    nothing_to_check = "nothing-to-check"
    nothing_to_hand_in = "nothing-to-hand-in"
    archived_already = "archived-already"
    nothing_to_deliver = "nothing-to-deliver"
    voided = "voided"


def _unmet(guard: Guard, facts: Facts) -> Refusal | None:
    unmet = {
        G.no_notice_before: (facts.has_notice, Refusal.notice_given_already),
        G.has_unit: (not facts.has_unit, Refusal.no_unit_yet),
        G.is_free: (facts.is_taken, Refusal.taken_already),
        G.is_taken: (not facts.is_taken, Refusal.not_taken),
        G.correction_overdue: (not facts.correction_overdue, Refusal.correction_not_overdue),
        G.not_extended: (facts.is_extended, Refusal.extended_already),
        G.opinions_given: (facts.opinions_wanted > 0, Refusal.opinions_missing),
        G.no_objection: (facts.grants and facts.has_objection, Refusal.objected),
        G.nothing_deferred: (facts.grants and facts.has_deferred, Refusal.materials_outstanding),
        G.has_commitment: (not facts.has_commitment, Refusal.nothing_to_check),
        G.has_deferred: (not facts.has_deferred, Refusal.nothing_to_hand_in),
        G.not_archived: (facts.is_archived, Refusal.archived_already),
        G.was_decided: (not facts.was_decided, Refusal.nothing_to_deliver),
        G.not_voided: (facts.is_voided, Refusal.voided),
    }
    is_unmet, refusal = unmet[guard]
    return refusal if is_unmet else None


def refusal(action: Action, facts: Facts, actors: frozenset[Actor]) -> Refusal | None:
    """Why somebody may not act, or None; who may act is told before what is possible."""
    transition = TRANSITIONS[action]
    if transition.actors.isdisjoint(actors):
        return Refusal.wrong_actor
    if facts.state not in transition.sources:
        return Refusal.wrong_state
    reasons = (_unmet(guard, facts) for guard in Guard if guard in transition.guards)
    return next((reason for reason in reasons if reason is not None), None)


def possible(facts: Facts, actors: frozenset[Actor]) -> list[Action]:
    """The actions somebody may take now."""
    return [action for action in Action if refusal(action, facts, actors) is None]
