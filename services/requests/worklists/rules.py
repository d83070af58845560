"""Whose turn a case is: the role that has the next step with it, by its state and its unit."""

from dataclasses import dataclass
from enum import StrEnum

from services.requests.cases.rules import OPEN
from services.requests.models import CaseState

S = CaseState


class Turn(StrEnum):
    """轮到谁办: a role, or the applicant."""

    applicant = "applicant"
    window_clerk = "window-clerk"
    village_agent = "village-agent"
    handler = "handler"
    supervisor = "supervisor"


class Place(StrEnum):
    """Where a case lies."""

    #: In the division's dispatch queue.
    nowhere = "nowhere"
    village = "village"
    department = "department"


def turns_of(state: CaseState, place: Place) -> frozenset[Turn]:
    """Who has the next step with an open case.

    The applicant answers a notice; a supervisor dispatches what no rule sent anywhere; a received
    case is accepted by the window or by its unit; after that it is its unit's.
    """
    if state not in OPEN:
        return frozenset()
    if state is S.correcting:
        return frozenset({Turn.applicant})
    if place is Place.nowhere:
        return frozenset({Turn.supervisor, *([Turn.window_clerk] if state is S.received else [])})
    unit = Turn.village_agent if place is Place.village else Turn.handler
    return frozenset({unit, *([Turn.window_clerk] if state is S.received else [])})


@dataclass(frozen=True, slots=True)
class Share:
    """Cases of one place in some states."""

    place: Place
    states: tuple[CaseState, ...]


def shares_of(turn: Turn) -> tuple[Share, ...]:
    """All that is a role's turn, place by place."""
    shares = (
        Share(place, tuple(s for s in CaseState if turn in turns_of(s, place))) for place in Place
    )
    return tuple(share for share in shares if share.states)
