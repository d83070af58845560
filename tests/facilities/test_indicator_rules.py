"""From sums to indicators; bases and targets never leave their region and year."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.facilities.indicators.rules import (
    FORMULAS,
    Direction,
    compute,
    is_met,
    nearest,
    target_for,
)
from services.facilities.indicators.schemas import Definition, Mark
from services.facilities.models import MEASURES
from services.facilities.seed import INDICATORS, read_indicators
from tests.facilities.factories import CITY, COUNTY

DEFINITIONS = {
    one.code: one
    for one in read_indicators(Path(__file__).parents[2] / "data" / INDICATORS).indicators
}
#: 运政办发〔2023〕14号: 2022 base, 2025 target.
TABLE_ONE = {
    "rural-facility-coverage": (0.72, 0.80),
    "urban-facility-coverage": (0.895, 1.0),
    "commerce-and-service-area-share": (0.062, 0.10),
    "area-per-100-households": (23.6, 30),
    "activity-area-share": (0.506, 0.60),
    "self-service-coverage": (0.196, 1.0),
    "workers-per-10000-residents": (14.3, 18),
    "organisations-per-urban-community": (8.8, 10),
    "organisations-per-rural-community": (3.4, 5),
    "certified-workers-share": (0.0995, 0.20),
}


class TestDefinitions:
    def test_the_ten_of_yuncheng_are_as_published(self):
        found = {}
        for code in TABLE_ONE:
            one = DEFINITIONS[code]
            (base,) = [mark for mark in one.bases if mark.region == CITY]
            target = next(mark for mark in one.targets if mark.region == CITY and mark.year == 2025)
            assert (base.year, one.attribute) == (2022, "anticipated")
            found[code] = (base.value, target.value)
        assert found == TABLE_ONE

    def test_every_formula_divides_known_measures_and_is_used(self):
        used = {one.formula for one in DEFINITIONS.values()} - {None}
        assert used == FORMULAS.keys()
        for formula in FORMULAS.values():
            named = {formula.numerator, formula.denominator, formula.missing or formula.numerator}
            assert named <= set(MEASURES)

    def test_the_contradictory_count_of_new_places_is_not_imported(self):
        shown = [
            str(mark.value) for one in DEFINITIONS.values() for mark in one.bases + one.targets
        ]
        assert not {"216.0", "1223.0", "122.0"} & set(shown)

    @pytest.mark.parametrize(
        "change", [{"formula": "guessed"}, {"formula": None}, {"reason": "no"}]
    )
    def test_a_definition_that_cannot_be_computed_is_refused(self, change):
        values = DEFINITIONS["rural-facility-coverage"].model_dump() | change
        with pytest.raises(ValidationError):
            Definition.model_validate(values)


class TestMarks:
    def test_the_national_base_of_2020_is_not_that_of_a_city_with_its_own(self):
        bases = DEFINITIONS["urban-facility-coverage"].bases
        assert [(mark.year, mark.value) for mark in nearest(bases, COUNTY)] == [(2022, 0.895)]
        assert [(mark.year, mark.value) for mark in nearest(bases, None)] == [(2020, 1.0)]
        assert [mark.region for mark in nearest(bases, "220000000000")] == [None]

    def test_a_city_sets_no_target_for_others(self):
        targets = DEFINITIONS["area-per-100-households"].targets
        assert target_for(targets, "220000000000", 2025) is None
        assert target_for(targets, None, 2025) is None

    def test_the_next_target_counts_and_after_the_last_one_that(self):
        targets = DEFINITIONS["workers-per-10000-residents"].targets
        wanted = {year: target_for(targets, CITY, year) for year in (2022, 2023, 2024, 2026)}
        years = {year: mark.year for year, mark in wanted.items() if mark}
        assert years == {2022: 2023, 2023: 2023, 2024: 2025, 2026: 2025}


class TestCompute:
    def test_nothing_known_is_no_value_and_no_verdict(self):
        sums = dict.fromkeys(MEASURES, 0.0) | {"workers_unknown": 77.0}
        found = compute(FORMULAS["urban-workers-per-10000-residents"], sums)
        assert (found.value, found.missing) == (None, 77)
        target = DEFINITIONS["workers-per-10000-residents"].targets[-1]
        assert is_met(found.value, target, Direction.at_least) is None

    @given(st.integers(0, 10**6), st.integers(1, 10**6))
    def test_the_value_is_the_quotient_times_its_factor(self, numerator, denominator):
        sums = dict.fromkeys(MEASURES, 0.0) | {"centre_area": numerator, "households": denominator}
        found = compute(FORMULAS["centre-area-per-100-households"], sums)
        assert found.value == pytest.approx(100 * numerator / denominator)

    def test_four_fifths_meet_eighty_percent(self):
        target = Mark(region=CITY, region_name="运城市", year=2025, value=0.8, source="表1 原文")
        assert is_met(4 / 5, target, Direction.at_least)
        assert is_met(0.1 + 0.7, target, Direction.at_least)
        assert not is_met(0.7999, target, Direction.at_least)

    def test_what_should_be_low_is_met_below(self):
        target = Mark(region=None, region_name="全国", year=2025, value=0.1, source="示例 原文")
        met = [is_met(value, target, Direction.at_most) for value in (0.05, 0.1, 0.2, None)]
        assert met == [True, True, False, None]
