from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.facilities.facilities.parts import Plate, Signage
from services.facilities.facilities.rules import (
    OUTSIDE_PLATES,
    TRANSITIONS,
    Action,
    faults,
    next_state,
    position_faults,
    possible_actions,
    signage_findings,
)
from services.facilities.models import FacilityState


@dataclass
class Fields:
    total_area_m2: float | None = None
    activity_area_m2: float | None = None
    office_area_m2: float | None = None
    tenure: str | None = None
    tenure_until: date | None = None


def told(**fields) -> list[tuple[str, str]]:
    return [(fault.path, fault.type) for fault in faults(Fields(**fields))]


class TestFaults:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"total_area_m2": 0},
            {"total_area_m2": 200, "activity_area_m2": 200, "office_area_m2": 200},
            {"tenure": "rented", "tenure_until": date(2027, 1, 1)},
        ],
    )
    def test_plausible(self, fields):
        assert told(**fields) == []

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            (
                {"total_area_m2": 200, "activity_area_m2": 200.01},
                [("/activity_area_m2", "area-too-large")],
            ),
            (
                {"total_area_m2": 200, "office_area_m2": 300, "activity_area_m2": 300},
                [("/activity_area_m2", "area-too-large"), ("/office_area_m2", "area-too-large")],
            ),
            ({"activity_area_m2": 10}, [("/total_area_m2", "area-missing")]),
            (
                {"tenure": "owned", "tenure_until": date(2027, 1, 1)},
                [("/tenure_until", "tenure-not-limited")],
            ),
        ],
    )
    def test_implausible(self, fields, expected):
        assert told(**fields) == expected


class TestPositionFaults:
    @pytest.mark.parametrize("point", [(35.02, 111.0), (4.0, 112.3), (53.5, 122.4)])
    def test_in_china(self, point):
        assert position_faults(*point) == []

    @pytest.mark.parametrize("point", [(111.0, 35.0), (0.0, 0.0)])
    def test_not_in_china(self, point):
        found = [(fault.path, fault.type) for fault in position_faults(*point)]
        assert found == [
            ("/position/latitude", "outside-china"), ("/position/longitude", "outside-china"),
        ]  # fmt: skip


class TestSignage:
    def told(self, *kinds, **inside):
        plates = [Plate(kind=kind, text=kind) for kind in kinds]
        signage = Signage(checked_on=date(2026, 1, 1), outside=plates, **inside)
        return [finding.message for finding in signage_findings(signage)]

    def test_the_six_and_the_name_of_the_place_are_right(self):
        assert self.told(*OUTSIDE_PLATES, "community-name", "china-community") == []

    def test_what_is_too_much_too_little_and_twice_is_named(self):
        kinds = [kind for kind in OUTSIDE_PLATES if kind != "supervision-committee"]
        assert self.told(*kinds, "village-committee", "other", has_guide_plate=False) == [
            "外部不应悬挂：other",
            "村民委员会标牌悬挂了 2 块",
            "外部没有村务监督委员会标牌",
            "内部没有集合式服务功能指引标牌",
        ]


class TestTransitions:
    def test_every_state_can_be_left_and_reached(self):
        left = {state for state, _ in TRANSITIONS}
        assert left == set(FacilityState)
        assert set(TRANSITIONS.values()) == set(FacilityState)

    def test_every_action_is_used_and_changes_the_state(self):
        assert {action for _, action in TRANSITIONS} == set(Action)
        assert all(before != after for (before, _), after in TRANSITIONS.items())

    def test_one_action_leads_to_one_state(self):
        for action in Action:
            assert len({after for (_, done), after in TRANSITIONS.items() if done == action}) == 1

    @given(st.lists(st.sampled_from(Action), max_size=20))
    def test_only_an_open_place_goes_into_repair(self, actions):
        state = FacilityState.planned
        for action in actions:
            after = next_state(state, action)
            assert (after is None) == (action not in possible_actions(state))
            if after is FacilityState.repair:
                assert state is FacilityState.open
            state = after or state
