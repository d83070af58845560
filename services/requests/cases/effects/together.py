"""转报、并联: what several units do with one case."""

from contracts import requests as events
from services.requests.cases import acts
from services.requests.cases.effects.base import (
    RUNNING,
    DocumentDraft,
    Dossier,
    Effect,
    Moment,
    Write,
    ending,
)
from services.requests.models import CaseOpinion

#: 4 转报办结.
TRANSFERRED = 4


def transfer(dossier: Dossier, act: acts.Transfer, at: Moment) -> Effect:
    case = dossier.case
    return Effect(
        changes={
            "unit_code": act.unit_code,
            "unit_name": at.unit_name(act.unit_code),
            "assignee_id": None,
            "assignee_name": None,
        },
        note=act.reason,
        event=events.CaseTransferred,
        event_fields={"from_unit_code": case.unit_code, "from_unit_name": case.unit_name},
        document=DocumentDraft(
            "transfer", {"reason": act.reason, "to": at.unit_name(act.unit_code)}
        ),
    )


def transfer_out(_: Dossier, act: acts.TransferOut, at: Moment) -> Effect:
    return Effect(
        changes={"result_code": TRANSFERRED, "completed_on": at.today},
        note=f"转报{act.organ}：{act.reason}",
        event=events.CaseCompleted,
        event_fields={"result_code": TRANSFERRED, "completed_on": at.today},
        cancel=RUNNING,
        timers=ending(at),
        document=DocumentDraft("transfer", {"reason": act.reason, "to": act.organ}),
    )


def consult(dossier: Dossier, act: acts.Consult, at: Moment) -> Effect:
    """Ask more units; one that was asked before is not asked again."""
    known = [opinion.unit_code for opinion in dossier.opinions]
    asked = [code for code in dict.fromkeys(act.unit_codes) if code not in known]
    return Effect(
        note=act.question,
        event=events.CaseConsulted,
        event_fields={"asked_unit_codes": (*known, *asked)},
        writes=tuple(
            Write(
                CaseOpinion,
                {
                    "case_id": dossier.case.id,
                    "unit_code": code,
                    "unit_name": at.unit_name(code),
                    "asked_at": at.now,
                },
            )
            for code in asked
        ),
    )


def give_opinion(dossier: Dossier, act: acts.GiveOpinion, at: Moment) -> Effect:
    assert at.by is not None
    caller = at.by.caller
    return Effect(
        note=act.opinion,
        event=events.CaseOpinionGiven,
        event_fields={"opinion_unit_code": caller.unit, "agrees": act.agrees},
        writes=(
            Write(
                CaseOpinion,
                {
                    "agrees": act.agrees,
                    "opinion": act.opinion,
                    "given_by": caller.name,
                    "given_at": at.now,
                },
                {"case_id": dossier.case.id, "unit_code": caller.unit},
            ),
        ),
    )
