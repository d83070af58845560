"""领取、移交、派单: who has a case."""

from contracts import requests as events
from services.requests.cases import acts
from services.requests.cases.effects.base import Dossier, Effect, Moment

_NOBODY = {"assignee_id": None, "assignee_name": None}


def dispatch(dossier: Dossier, act: acts.Dispatch, at: Moment) -> Effect:
    return Effect(
        changes={"unit_code": act.unit_code, "unit_name": at.unit_name(act.unit_code), **_NOBODY},
        note=act.note,
        event=events.CaseDispatched,
        event_fields={"from_unit_code": dossier.case.unit_code},
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
