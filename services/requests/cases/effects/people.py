"""领取、移交、派单: who has a case."""

from contracts import requests as events
from services.requests.cases import acts
from services.requests.cases.effects.base import DocumentDraft, Dossier, Effect, Moment
from services.requests.triage.rules import unit_above

_NOBODY = {"assignee_id": None, "assignee_name": None}


def dispatch(dossier: Dossier, act: acts.Dispatch, at: Moment) -> Effect:
    return Effect(
        changes={"unit_code": act.unit_code, "unit_name": at.unit_name(act.unit_code), **_NOBODY},
        note=act.note,
        event=events.CaseDispatched,
        event_fields={"from_unit_code": dossier.case.unit_code},
    )


def hand_up(dossier: Dossier, act: acts.HandUp, at: Moment) -> Effect:
    """To the township's window, or to the dispatch queue where none is registered."""
    assert at.by is not None
    case = dossier.case
    above = unit_above(case.unit_code, at.by.unit_names)
    name = at.unit_name(above) if above else None
    return Effect(
        changes={"unit_code": above, "unit_name": name, **_NOBODY},
        note=act.reason,
        event=events.CaseTransferred,
        event_fields={"from_unit_code": case.unit_code, "from_unit_name": case.unit_name},
        document=DocumentDraft("transfer", {"reason": act.reason, "to": name or "上级派单"}),
    )


def send_back(dossier: Dossier, act: acts.SendBack, _: Moment) -> Effect:
    return Effect(
        changes={"unit_code": None, "unit_name": None, **_NOBODY},
        note=act.reason,
        event=events.CaseDispatched,
        event_fields={"from_unit_code": dossier.case.unit_code},
    )


def claim(dossier: Dossier, _: acts.Claim, at: Moment) -> Effect:
    """Who takes it first stays named (首问负责)."""
    assert at.by is not None
    who, name = at.by.caller.account_id, at.by.caller.name
    changes = {"assignee_id": who, "assignee_name": name}
    if dossier.case.first_taker_id is None:
        changes |= {"first_taker_id": who, "first_taker_name": name}
    return Effect(changes=changes)


def hand_over(_: Dossier, act: acts.HandOver, at: Moment) -> Effect:
    assert at.by is not None
    changes = {"assignee_id": act.account_id, "assignee_name": at.by.colleague}
    return Effect(changes=changes, note=act.note)


def put_back(_: Dossier, act: acts.PutBack, _at: Moment) -> Effect:
    return Effect(changes=dict(_NOBODY), note=act.note)
