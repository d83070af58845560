"""收件、补正、受理: what happens until a limit runs."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from contracts import requests as events
from contracts.values import TimeUnit
from servicekit.identifiers import new_id
from services.requests.cases import acts
from services.requests.cases.effects.base import (
    FOLLOW_UP,
    FOLLOW_UP_NEAR,
    LAPSE,
    RUNNING,
    SILENCE,
    DocumentDraft,
    Dossier,
    Effect,
    Missed,
    Moment,
    Write,
    deadline_timers,
    due_of,
    ending,
    limit,
    near_of,
    unit_of,
)
from services.requests.clock.rules import end_of_day
from services.requests.clock.service import due_after, end_of_silence
from services.requests.models import CaseFollowUp, CaseOpinion, CorrectionNotice

#: 5 补正不来办结. Source: result codes as Guangdong and others use them.
LAPSED = 5


def _in_days(at: Moment, days: int) -> date:
    """A day some working days on; without a calendar the longer count."""
    found = due_after(at.calendar, at.counts_on, days, TimeUnit.working_days)
    return found or at.counts_on + timedelta(days=2 * days)


def request_correction(dossier: Dossier, act: acts.RequestCorrection, at: Moment) -> Effect:
    answer_by = _in_days(at, at.correction_days)
    return Effect(
        changes=limit(None, at),
        note="；".join(act.missing),
        event=events.CorrectionRequested,
        event_fields={"missing": tuple(act.missing), "answer_by": answer_by},
        cancel=(SILENCE,),
        timers={LAPSE: end_of_day(answer_by)},
        writes=(
            Write(
                CorrectionNotice,
                {
                    "case_id": dossier.case.id,
                    "missing": act.missing,
                    "issued_at": at.now,
                    "answer_by": answer_by,
                },
            ),
        ),
        document=DocumentDraft(
            "correction", {"missing": act.missing, "answer_by": answer_by.isoformat()}
        ),
    )


def answer_correction(dossier: Dossier, act: acts.AnswerCorrection, at: Moment) -> Effect:
    """What was missing came today: from this day 0 silence and the promise count anew."""
    case, silence = dossier.case, end_of_silence(at.calendar, at.counts_on)
    due_on = due_after(at.calendar, at.counts_on, case.promised_days, unit_of(case))
    return Effect(
        changes={
            "materials": _with(case.materials, act.materials),
            "received_on": at.counts_on,
            **limit(due_on, at),
        },
        event=events.CorrectionAnswered,
        timers={SILENCE: silence} if silence else {},
        cancel=(LAPSE,),
        notice_answer=act.note or "",
    )


def _with(materials: list[dict[str, Any]], more: Any) -> list[dict[str, Any]]:
    handed_in = {material["code"]: material for material in materials}
    handed_in |= {material.code: material.as_record() for material in more}
    return list(handed_in.values())


def lapse(_: Dossier, _act: Any, at: Moment) -> Effect:
    return Effect(
        changes={"result_code": LAPSED, "completed_on": at.today},
        note="逾期未补正，按申请人放弃申请办结",
        event=events.CaseCompleted,
        event_fields={"result_code": LAPSED, "completed_on": at.today},
        cancel=RUNNING,
        timers=ending(at),
        document=DocumentDraft("termination", {"reason": "逾期未补正"}),
    )


def accept(dossier: Dossier, act: acts.Accept, at: Moment) -> Effect:
    case = dossier.case
    follow_ups = [
        {
            "id": new_id(),
            "case_id": case.id,
            "kind": "deferred-material",
            "material_code": each.material_code,
            "what": each.what,
            "due_on": _in_days(at, each.days),
        }
        for each in act.deferred
    ]
    if act.commitment is not None:
        follow_ups.append(
            {
                "id": new_id(),
                "case_id": case.id,
                "kind": "commitment",
                "material_code": None,
                "what": act.commitment.what,
                "due_on": _in_days(at, act.commitment.check_days),
            }
        )
    plain = accepted(dossier, at.counts_on, at, note=act.note, deemed=False)
    return Effect(
        changes=plain.changes,
        note=plain.note,
        event=plain.event,
        event_fields={**plain.event_fields, **act.counter()},
        timers=plain.timers,
        cancel=plain.cancel,
        writes=(*plain.writes, *(Write(CaseFollowUp, row) for row in follow_ups)),
        other_timers=tuple(
            timer
            for row in follow_ups
            for timer in (
                (FOLLOW_UP_NEAR, row["id"], near_of(row["due_on"], at)),
                (FOLLOW_UP, row["id"], end_of_day(row["due_on"])),
            )
        ),
        document=DocumentDraft(
            "acceptance",
            {
                "due_on": _text(plain.changes["due_on"]),
                "follow_ups": [f"{row['what']}（{_text(row['due_on'])}前）" for row in follow_ups],
            },
        ),
    )


def accepted(dossier: Dossier, on: date, at: Moment, *, note: str | None, deemed: bool) -> Effect:
    """受理 on a day: the promised limit starts, silence no longer counts."""
    due_on = due_of(dossier.case, at, accepted_on=on)
    return Effect(
        changes={"accepted_on": on, **limit(due_on, at)},
        note=note,
        event=events.CaseAccepted,
        event_fields={"accepted_on": on, "deemed": deemed},
        timers=deadline_timers(due_on, at),
        cancel=(SILENCE,),
        writes=tuple(_asked(dossier, at)),
        document=DocumentDraft("acceptance", {"due_on": _text(due_on), "follow_ups": []}),
    )


def _asked(dossier: Dossier, at: Moment) -> Iterator[Write]:
    """Units that routing wants asked in parallel, unless they were already."""
    known = {opinion.unit_code for opinion in dossier.opinions}
    for code in (dossier.case.routing or {}).get("parallel", ()):
        if code not in known and code != dossier.case.unit_code:
            values = {
                "case_id": dossier.case.id,
                "unit_code": code,
                "unit_name": at.unit_name(code),
                "asked_at": at.now,
            }
            yield Write(CaseOpinion, values)


def refuse(_: Dossier, act: acts.Refuse, at: Moment) -> Effect:
    return Effect(
        note=act.reason,
        event=events.CaseRefused,
        event_fields={"reason": act.reason, "right_organ": act.right_organ},
        cancel=RUNNING,
        timers=ending(at),
        document=DocumentDraft(
            "refusal", {"reason": act.reason, "right_organ": act.right_organ or ""}
        ),
    )


def hand_in(dossier: Dossier, act: acts.HandIn, at: Moment) -> Effect:
    handed_in = {material.code for material in act.materials}
    kept = [each for each in dossier.outstanding if each.material_code in handed_in]
    return Effect(
        changes={"materials": _with(dossier.case.materials, act.materials)},
        note="；".join(each.what for each in kept),
        event=events.CaseFollowUpEnded,
        event_fields={
            "kind": "deferred-material",
            "material_code": kept[0].material_code if kept else None,
            "outcome": (kept[0].outcome or "kept") if kept else "kept",
        },
        writes=tuple(
            Write(
                CaseFollowUp,
                {"outcome": each.outcome or "kept", "ended_at": at.now},
                {"id": each.id},
            )
            for each in kept
        ),
    )


def miss_follow_up(_: Dossier, act: Missed, _at: Moment) -> Effect:
    return Effect(
        note=f"逾期未补交：{act.what}",
        event=events.CaseFollowUpEnded,
        event_fields={
            "kind": "deferred-material",
            "material_code": act.material_code,
            "outcome": "late",
        },
        writes=(Write(CaseFollowUp, {"outcome": "late"}, {"id": act.follow_up_id}),),
    )


def check_commitment(dossier: Dossier, act: acts.CheckCommitment, at: Moment) -> Effect:
    commitment = dossier.commitment
    assert commitment is not None  # the guard has seen it
    outcome = "kept" if act.kept else "broken"
    return Effect(
        note=act.note,
        event=events.CaseFollowUpEnded,
        event_fields={"kind": "commitment", "material_code": None, "outcome": outcome},
        writes=(
            Write(
                CaseFollowUp,
                {"outcome": outcome, "ended_at": at.now, "note": act.note},
                {"id": commitment.id},
            ),
        ),
    )


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""
