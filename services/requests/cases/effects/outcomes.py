"""决定、缴费、办结、送达、撤回、重办: how a case ends, and how it begins again."""

from typing import Any

from contracts import requests as events
from contracts.values import TimeUnit
from services.requests.cases import acts
from services.requests.cases.effects.base import (
    ARCHIVE,
    DELIVERY,
    NEAR,
    PASSED,
    RUNNING,
    Asked,
    DocumentDraft,
    Dossier,
    Effect,
    Moment,
    Write,
    deadline_timers,
    ending,
    limit,
    pause_ended,
    unit_of,
)
from services.requests.clock.rules import end_of_day
from services.requests.clock.service import due_after
from services.requests.models import CaseOpinion, CasePayment

#: 送达 within ten working days of the decision. Source: 行政许可法 art. 44.
DELIVERY_DAYS = 10
#: What a unit's answer consists of.
_ANSWER = ("agrees", "opinion", "given_by", "given_at")


def decide(dossier: Dossier, act: acts.Decide, at: Moment) -> Effect:
    opinions = [
        f"{each.unit_name}：{'同意' if each.agrees else '不同意'}" for each in dossier.opinions
    ]
    deliver_by = due_after(at.calendar, at.counts_on, DELIVERY_DAYS, TimeUnit.working_days)
    return Effect(
        changes={"granted": act.granted, "decided_on": at.today},
        note=act.note,
        event=events.CaseDecided,
        event_fields={"granted": act.granted},
        timers={DELIVERY: end_of_day(deliver_by)} if deliver_by else {},
        document=DocumentDraft(
            "grant" if act.granted else "denial",
            {"note": act.note or "", "opinions": opinions},
        ),
    )


def record_payment(dossier: Dossier, act: acts.RecordPayment, at: Moment) -> Effect:
    yuan = f"{act.amount_cents // 100}.{act.amount_cents % 100:02}"
    return Effect(
        note=f"缴费 {yuan} 元，票据号 {act.receipt_number}",
        event=events.CasePaid,
        event_fields={"amount_cents": act.amount_cents, "paid_on": at.today, **act.counter()},
        writes=(
            Write(
                CasePayment,
                {
                    "case_id": dossier.case.id,
                    "receipt_number": act.receipt_number,
                    "amount_cents": act.amount_cents,
                    "paid_on": at.today,
                    "recorded_at": at.now,
                },
            ),
        ),
    )


def complete(dossier: Dossier, act: acts.Complete, at: Moment) -> Effect:
    accepted_on = dossier.case.accepted_on
    return Effect(
        took_days=max(0, at.calendar.days_between(accepted_on, at.today, TimeUnit.working_days)),
        changes={"result_code": act.result_code, "completed_on": at.today},
        note=act.note,
        event=events.CaseCompleted,
        event_fields={
            "result_code": act.result_code,
            "completed_on": at.today,
            **act.counter(),
        },
        cancel=RUNNING,
        timers=ending(at),
    )


def deliver(_: Dossier, act: acts.Deliver, at: Moment) -> Effect:
    tracking = f"，单号 {act.tracking_number}" if act.tracking_number else ""
    return Effect(
        changes={"delivered_on": at.today},
        note=f"{_WAYS[act.way]}{tracking}",
        event=events.CaseDelivered,
        event_fields={"way": act.way, "delivered_on": at.today},
        cancel=(DELIVERY,),
        document=DocumentDraft(
            "delivery", {"way": _WAYS[act.way], "tracking_number": act.tracking_number or ""}
        ),
    )


_WAYS: dict[str, str] = {
    "direct": "直接送达",
    "pick-up": "自取",
    "post": "邮寄送达",
    "announcement": "公告送达",
    "electronic": "电子送达",
}


def withdraw(dossier: Dossier, act: acts.Withdraw, at: Moment) -> Effect:
    return Effect(
        changes={"paused_on": None, "remaining_days": None},
        note=act.note,
        event=events.CaseWithdrawn,
        cancel=RUNNING,
        writes=pause_ended(dossier, at),
        timers=ending(at),
        document=DocumentDraft("termination", {"reason": "申请人撤回申请"}),
    )


def void(dossier: Dossier, act: acts.Void, at: Moment) -> Effect:
    return Effect(
        changes={
            "result_code": act.result_code,
            "completed_on": at.today,
            "paused_on": None,
            "remaining_days": None,
        },
        note=act.reason,
        event=events.CaseVoided,
        event_fields={"result_code": act.result_code, "voided_on": at.today},
        cancel=(*RUNNING, DELIVERY),
        timers=ending(at),
        writes=pause_ended(dossier, at),
    )


def reopen(dossier: Dossier, act: acts.Reopen | Asked, at: Moment) -> Effect:
    """A new limit of the promised days; what was decided before stays in the history.

    Units that objected are asked again: else nothing but the same denial could follow.
    """
    case = dossier.case
    due_on = due_after(at.calendar, at.counts_on, case.promised_days, unit_of(case))
    times = case.reopened_times + 1
    return Effect(
        changes={
            "accepted_on": at.counts_on,
            **limit(due_on, at),
            "extended_days": 0,
            "paused_days": 0,
            "decided_on": None,
            "completed_on": None,
            "delivered_on": None,
            "archived_on": None,
            "result_code": None,
            "granted": None,
            "reopened_times": times,
        },
        note=act.reason,
        event=events.CaseReopened,
        event_fields={
            "reopened_on": at.today,
            "times": times,
            "rectification_id": act.rectification_id,
        },
        cancel=(ARCHIVE, DELIVERY, NEAR, PASSED),
        timers=deadline_timers(due_on, at),
        writes=tuple(
            Write(
                CaseOpinion,
                {**dict.fromkeys(_ANSWER), "asked_at": at.now},
                {"case_id": case.id, "unit_code": each.unit_code},
            )
            for each in dossier.opinions
            if each.agrees is False
        ),
    )


def archive(_: Dossier, _act: Any, at: Moment) -> Effect:
    return Effect(changes={"archived_on": at.today}, note="归档")
