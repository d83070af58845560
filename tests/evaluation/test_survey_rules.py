"""Drawing, estimating and withholding, as arithmetic."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluation.suppression import Cell, division_tree, group, reveals, withheld
from services.evaluation.surveys.estimates import Stratum, estimate
from services.evaluation.surveys.sampling import allocate, draw

FRAMES = st.dictionaries(
    st.integers(1, 99).map(lambda n: f"1408020010{n:02}"), st.integers(1, 400), max_size=12
)


class TestSampling:
    @given(FRAMES, st.integers(1, 500), st.integers(1, 20))
    def test_every_village_gets_its_share_and_no_more_than_it_has(self, frame, size, minimum):
        asked = allocate(frame, size, minimum)
        assert asked.keys() == frame.keys()
        for code, count in asked.items():
            assert min(minimum, frame[code]) <= count <= frame[code]
            exact = size * frame[code] / sum(frame.values())
            assert count <= max(minimum, math.floor(exact) + 1)

    def test_sizes_add_up_where_no_minimum_interferes(self):
        asked = allocate({"a": 1000, "b": 500, "c": 501}, 100, 1)
        assert asked == {"a": 50, "b": 25, "c": 25}

    @given(st.integers(0, 2**62), st.integers(1, 300), st.data())
    def test_a_draw_is_the_same_for_the_same_seed(self, seed, households, data):
        count = data.draw(st.integers(0, households))
        numbers = draw(seed, "140802001005", households, count)
        assert numbers == draw(seed, "140802001005", households, count)
        assert len(set(numbers)) == count
        assert all(1 <= number <= households for number in numbers)

    def test_every_household_is_as_likely(self):
        counts = [0] * 20
        for seed in range(2000):
            for number in draw(seed, "140802001005", 20, 5):
                counts[number - 1] += 1
        # 500 each expected, standard deviation 19.4: five of them either way.
        assert all(403 < count < 597 for count in counts)


class TestEstimates:
    def test_a_textbook_example(self):
        """Weights 0.75 and 0.25, shares 0.5 and 0.9, by hand."""
        strata = [Stratum("a", 300, 20, 10), Stratum("b", 100, 10, 9)]
        found = estimate(strata)
        assert found is not None
        assert found.share == pytest.approx(0.6)
        variance = 0.75**2 * (1 - 20 / 300) * 0.25 / 19 + 0.25**2 * (1 - 0.1) * 0.09 / 9
        assert found.standard_error == pytest.approx(math.sqrt(variance))

    def test_when_all_were_asked_there_is_nothing_to_be_unsure_of(self):
        found = estimate([Stratum("a", 10, 10, 7), Stratum("b", 5, 5, 5)])
        assert found is not None
        assert found.low == found.share == found.high == pytest.approx(12 / 15)

    def test_one_opinion_does_not_make_everybody_sure(self):
        found = estimate([Stratum("a", 1000, 10, 10)])
        assert found is not None
        assert (found.share, found.high) == (1.0, 1.0)
        assert 0.65 < found.low < 0.75

    def test_nobody_answered(self):
        assert estimate([Stratum("a", 10, 0, 0)]) is None
        assert estimate([]) is None

    @given(
        st.lists(st.tuples(st.integers(1, 60), st.integers(0, 30), st.integers(0, 30)), max_size=12)
    )
    def test_intervals_hold_their_share(self, rows):
        strata = [
            Stratum(str(n), size, min(size, answered), min(size, answered, chosen))
            for n, (size, answered, chosen) in enumerate(rows)
        ]
        found = estimate(strata)
        if found is None:
            assert all(each.answered == 0 for each in strata)
            return
        assert 0 <= found.low <= found.share <= found.high <= 1
        others = estimate(
            Stratum(s.code, s.households, s.answered, s.answered - s.chosen) for s in strata
        )
        assert others is not None
        assert others.share + found.share == pytest.approx(1)

    def test_nineteen_of_twenty_intervals_hold_the_truth(self):
        """300 surveys of three villages whose true share is known."""
        dice = Random(20)
        frame = {"a": (400, 0.9), "b": (200, 0.7), "c": (60, 0.5)}
        people = {code: [dice.random() < p for _ in range(n)] for code, (n, p) in frame.items()}
        truth = sum(map(sum, people.values())) / sum(map(len, people.values()))
        asked = allocate({code: len(all_) for code, all_ in people.items()}, 90, 10)
        held = 0
        for _ in range(300):
            strata = [
                Stratum(code, len(all_), asked[code], sum(dice.sample(all_, asked[code])))
                for code, all_ in people.items()
            ]
            found = estimate(strata)
            assert found is not None
            held += found.low <= truth <= found.high
        assert 0.91 <= held / 300 <= 0.99


class TestSuppression:
    @settings(max_examples=80)
    @given(st.lists(st.integers(0, 20), max_size=8), st.integers(2, 8))
    def test_what_is_withheld_under_a_shown_total_cannot_be_told(self, counts, minimum):
        cells = [(str(n), count) for n, count in enumerate(counts)]
        hidden = group(cells, minimum)
        for key, count in cells:
            assert key in hidden or count == 0 or count >= minimum
        left = [count for key, count in cells if key in hidden]
        if left and sum(count for _, count in cells) >= minimum:
            others = [c for k, c in cells if k not in hidden and c > 0]
            assert sum(left) >= minimum or not others
            assert len(left) >= 2 or not others

    @settings(max_examples=60)
    @given(
        st.dictionaries(
            st.sampled_from(
                [f"14080200{t}00{v}" for t in (1, 2, 3) for v in range(4)] + ["140802000000"]
            ),
            st.integers(0, 12),
        )
    )
    def test_no_number_of_a_tree_is_a_sum_or_difference_of_shown_ones(self, counts):
        minimum = 5
        tree = division_tree("140802000000", counts)
        assert tree.count == sum(counts.values())
        hidden = withheld(tree, minimum)

        def check(cell: Cell, *, above_hidden: bool) -> None:
            if above_hidden:
                assert cell.key in hidden
            if cell.key not in hidden:
                assert cell.count == 0 or cell.count >= minimum
                left = [part.count for part in cell.parts if part.key in hidden]
                assert (
                    not left
                    or sum(left) >= minimum
                    or all(part.key in hidden or part.count == 0 for part in cell.parts)
                )
                assert len([count for count in left if count]) != 1
            for part in cell.parts:
                check(part, above_hidden=cell.key in hidden)

        check(tree, above_hidden=False)

    def test_a_remainder_between_tables(self):
        assert reveals(20, {"a": 10, "b": 7}, 5)
        assert not reveals(20, {"a": 10, "b": 10}, 5)
        assert not reveals(20, {"a": 10}, 5)
