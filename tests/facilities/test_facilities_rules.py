from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.facilities.facilities.rules import (
    TRANSITIONS,
    Action,
    faults,
    next_state,
    possible_actions,
)
from services.facilities.models import FacilityState


@dataclass
class Fields:
    total_area_m2: float | None = None
    activity_area_m2: float | None = None
    office_area_m2: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    original_crs: str | None = None


def told(**fields) -> list[tuple[str, str]]:
    return [(fault.path, fault.type) for fault in faults(Fields(**fields))]


class TestFaults:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"total_area_m2": 0},
            {"total_area_m2": 200, "activity_area_m2": 200, "office_area_m2": 200},
            {"latitude": 35.02, "longitude": 111.0, "original_crs": "GCJ-02"},
            {"latitude": 4.0, "longitude": 112.3, "original_crs": "WGS-84"},
            {"latitude": 53.5, "longitude": 122.4, "original_crs": "WGS-84"},
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
                {"latitude": 35.0, "original_crs": "WGS-84"},
                [("/longitude", "coordinates-incomplete")],
            ),
            ({"longitude": 111.0}, [("/latitude", "coordinates-incomplete")]),
            ({"latitude": 35.0, "longitude": 111.0}, [("/original_crs", "crs-missing")]),
            ({"original_crs": "WGS-84"}, [("/original_crs", "coordinates-missing")]),
            (
                {"latitude": 111.0, "longitude": 35.0, "original_crs": "WGS-84"},
                [("/latitude", "outside-china"), ("/longitude", "outside-china")],
            ),
            (
                {"latitude": 0.0, "longitude": 0.0, "original_crs": "WGS-84"},
                [("/latitude", "outside-china"), ("/longitude", "outside-china")],
            ),
        ],
    )
    def test_implausible(self, fields, expected):
        assert told(**fields) == expected


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
