"""The file of results: what a run replaces, what it leaves, and what it says over all."""

from datetime import UTC, datetime

import pytest

from bench import results
from bench.harness import Figure
from bench.parts import PARTS, Part
from bench.results import Outcome, Table, blocks, marked, merge

HERE = {"processor": "2 × Example", "memory": "8 GiB", "nginx": "1.22"}
ELSEWHERE = HERE | {"processor": "64 × Example"}
INTAKE, GATEWAY, ROUTING = (
    next(part for part in PARTS if part.name == name) for name in ("intake", "gateway", "routing")
)


def outcome(part: Part, *figures: Figure, trouble: str = "") -> Outcome:
    begun = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    tables = [Table(f"{part.title} at night", list(figures))] if figures else []
    return Outcome(part, f"python -m bench.{part.name}", begun, 5.25, 0.1, tables, trouble)


def ratio(*values: float, mark: str = ">= 0.35") -> Figure:
    return Figure("direct ÷ pgbench", "", list(values), mark)


class TestMerge:
    def test_a_figure_is_its_median_with_spread_rounds_mark_and_command(self) -> None:
        text = merge("", [outcome(INTAKE, ratio(0.5, 0.4, 0.9))], HERE, PARTS)
        assert "| direct ÷ pgbench | 0.5 |  | 0.4 – 0.9 (3) | >= 0.35 | yes |" in text
        assert "`python -m bench.intake` · 2026-11-22 12:30 UTC, 5.2 minutes" in text
        assert "| processor | 2 × Example |" in text

    def test_a_partial_run_replaces_its_part_alone(self) -> None:
        before = merge("", [outcome(INTAKE, ratio(0.5)), outcome(GATEWAY, ratio(0.2))], HERE, PARTS)
        after = merge(before, [outcome(GATEWAY, ratio(0.7))], HERE, PARTS)
        assert blocks(after)["intake"] == blocks(before)["intake"]
        assert marked("gateway", blocks(after)["gateway"])[0].median == "0.7"

    def test_merging_the_same_twice_changes_nothing(self) -> None:
        measured = [outcome(INTAKE, ratio(0.5)), outcome(ROUTING, Figure("a matter", "µs", [9.0]))]
        once = merge("", measured, HERE, PARTS)
        assert merge(once, measured, HERE, PARTS) == once
        assert merge(once, [], HERE, PARTS) == once

    def test_parts_stand_in_their_own_order(self) -> None:
        text = merge("", [outcome(ROUTING, ratio(1)), outcome(INTAKE, ratio(1))], HERE, PARTS)
        assert text.index("## Intake") < text.index("## Routing")

    def test_marks_that_do_not_hold_stand_on_top_whichever_run_they_are_of(self) -> None:
        before = merge("", [outcome(INTAKE, ratio(0.2))], HERE, PARTS)
        after = merge(before, [outcome(GATEWAY, ratio(0.7))], HERE, PARTS)
        assert "1 of 2 hold." in after
        assert "| direct ÷ pgbench | intake | 0.2 | >= 0.35 |" in after

    def test_a_part_that_was_left_out_says_why_instead_of_old_figures(self) -> None:
        before = merge("", [outcome(GATEWAY, ratio(0.7))], HERE, PARTS)
        after = merge(before, [outcome(GATEWAY, trouble="left out: no wrk")], HERE, PARTS)
        assert "left out: no wrk" in blocks(after)["gateway"]
        assert not marked("gateway", blocks(after)["gateway"])
        assert "None was measured." in after

    def test_what_was_measured_before_a_failure_stays_beside_its_reason(self) -> None:
        text = merge("", [outcome(INTAKE, ratio(0.5), trouble="status 1")], HERE, PARTS)
        assert "**Not to its end**: status 1" in text
        assert marked("intake", blocks(text)["intake"])[0].holds

    def test_a_part_from_another_machine_says_so_until_all_are(self) -> None:
        both = [outcome(INTAKE, ratio(0.5)), outcome(GATEWAY, ratio(0.7))]
        before = merge("", both, HERE, PARTS)
        mixed = merge(before, both[:1], ELSEWHERE, PARTS)
        assert "| processor | 2 × Example |" in mixed
        assert "On another machine: processor 64 × Example" in blocks(mixed)["intake"]
        whole = merge(before, both, ELSEWHERE, PARTS)
        assert "| processor | 64 × Example |" in whole
        assert "another machine" not in whole.partition("## Marks")[2]


class TestMarked:
    @pytest.mark.parametrize(
        ("values", "mark", "holds"),
        [([0.36], ">= 0.35", True), ([0.34], ">= 0.35", False), ([3, 1, 2], "<= 2", True)],
    )
    def test_rows_are_read_as_they_were_written(
        self, values: list[float], mark: str, holds: bool
    ) -> None:
        figures = [ratio(*values, mark=mark), Figure("told", "ms", [1234.5])]
        block = blocks(merge("", [outcome(INTAKE, *figures)], HERE, PARTS))["intake"]
        [row] = marked("intake", block)
        assert (row.name, row.mark, row.holds) == ("direct ÷ pgbench", mark, holds)

    def test_the_file_in_the_repository_is_what_a_merge_would_leave(self) -> None:
        path = results.__file__.replace("results.py", "results.md")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert blocks(text).keys() <= {part.name for part in PARTS}
        assert merge(text, [], {}, PARTS) == text
