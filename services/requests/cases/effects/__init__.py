"""What each transition of a case changes, sets and tells: pure functions of the case and the act."""

from collections.abc import Callable
from typing import Any

from services.requests.cases.effects import limits, outcomes, people, receiving, together
from services.requests.cases.effects.base import (
    ARCHIVE,
    DELIVERY,
    FOLLOW_UP,
    LAPSE,
    NEAR,
    PASSED,
    PAUSE_END,
    SILENCE,
    Acting,
    Asked,
    DocumentDraft,
    Dossier,
    Effect,
    Missed,
    Moment,
    Write,
    deadline_timers,
    moment_of,
)
from services.requests.cases.effects.receiving import accepted
from services.requests.cases.rules import Action

EFFECTS: dict[Action, Callable[[Dossier, Any, Moment], Effect]] = {
    Action.dispatch: people.dispatch,
    Action.hand_up: people.hand_up,
    Action.send_back: people.send_back,
    Action.claim: people.claim,
    Action.hand_over: people.hand_over,
    Action.put_back: people.put_back,
    Action.request_correction: receiving.request_correction,
    Action.answer_correction: receiving.answer_correction,
    Action.lapse: receiving.lapse,
    Action.accept: receiving.accept,
    Action.refuse: receiving.refuse,
    Action.hand_in: receiving.hand_in,
    Action.miss_follow_up: receiving.miss_follow_up,
    Action.check_commitment: receiving.check_commitment,
    Action.review: limits.review,
    Action.pause: limits.pause,
    Action.resume: limits.resume,
    Action.extend: limits.extend,
    Action.transfer: together.transfer,
    Action.transfer_out: together.transfer_out,
    Action.consult: together.consult,
    Action.give_opinion: together.give_opinion,
    Action.decide: outcomes.decide,
    Action.record_payment: outcomes.record_payment,
    Action.complete: outcomes.complete,
    Action.deliver: outcomes.deliver,
    Action.withdraw: outcomes.withdraw,
    Action.void: outcomes.void,
    Action.reopen: outcomes.reopen,
    Action.archive: outcomes.archive,
}

__all__ = [
    "ARCHIVE",
    "DELIVERY",
    "EFFECTS",
    "FOLLOW_UP",
    "LAPSE",
    "NEAR",
    "PASSED",
    "PAUSE_END",
    "SILENCE",
    "Acting",
    "Asked",
    "DocumentDraft",
    "Dossier",
    "Effect",
    "Missed",
    "Moment",
    "Write",
    "accepted",
    "deadline_timers",
    "moment_of",
]
