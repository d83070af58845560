"""The body of each action that people can take."""

from services.requests.cases import acts
from services.requests.cases.rules import Action

ActionBody = (
    acts.Dispatch
    | acts.SendBack
    | acts.Claim
    | acts.HandOver
    | acts.PutBack
    | acts.RequestCorrection
    | acts.AnswerCorrection
    | acts.Accept
    | acts.Refuse
    | acts.Review
    | acts.Pause
    | acts.Resume
    | acts.Extend
    | acts.HandUp
    | acts.Transfer
    | acts.TransferOut
    | acts.Consult
    | acts.GiveOpinion
    | acts.HandIn
    | acts.CheckCommitment
    | acts.Decide
    | acts.RecordPayment
    | acts.Complete
    | acts.Deliver
    | acts.Withdraw
    | acts.Void
    | acts.Reopen
)
#: What people can do, and the body that says it.
BODIES: dict[Action, type[ActionBody]] = {
    Action.dispatch: acts.Dispatch,
    Action.send_back: acts.SendBack,
    Action.claim: acts.Claim,
    Action.hand_over: acts.HandOver,
    Action.put_back: acts.PutBack,
    Action.request_correction: acts.RequestCorrection,
    Action.answer_correction: acts.AnswerCorrection,
    Action.accept: acts.Accept,
    Action.refuse: acts.Refuse,
    Action.review: acts.Review,
    Action.pause: acts.Pause,
    Action.resume: acts.Resume,
    Action.extend: acts.Extend,
    Action.hand_up: acts.HandUp,
    Action.transfer: acts.Transfer,
    Action.transfer_out: acts.TransferOut,
    Action.consult: acts.Consult,
    Action.give_opinion: acts.GiveOpinion,
    Action.hand_in: acts.HandIn,
    Action.check_commitment: acts.CheckCommitment,
    Action.decide: acts.Decide,
    Action.record_payment: acts.RecordPayment,
    Action.complete: acts.Complete,
    Action.deliver: acts.Deliver,
    Action.withdraw: acts.Withdraw,
    Action.void: acts.Void,
    Action.reopen: acts.Reopen,
}
