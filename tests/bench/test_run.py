"""Running parts: one after the other, whatever becomes of each."""

import os
import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import kafka_tools, machine, parts
from bench.harness import Figure, Figures, memory_of, show
from bench.parts import Part, Size, UnknownPart
from bench.results import blocks

MADE = (Part("first", "First"), Part("second", "Second"))


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules are run as parts, in the place of `bench`'s own."""
    monkeypatch.setattr(
        Part, "command", lambda part, size: [str(tmp_path / f"{part.name}.py"), size.value]
    )
    monkeypatch.setattr(bench, "PARTS", MADE)
    (tmp_path / "first.py").write_text("raise SystemExit(3)")
    (tmp_path / "second.py").write_text(
        "import json, os\n"
        "figure = {'name': 'rate', 'unit': '1/s', 'values': [1.0, 2.0, 3.0], 'mark': '>= 1'}\n"
        "told = json.dumps({'title': 'Second at night', 'figures': [figure]})\n"
        "open(os.environ['BENCH_FIGURES'], 'a').write(told + '\\n')\n"
    )
    return tmp_path


class TestRun:
    def test_a_part_that_fails_leaves_the_others(
        self, modules: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        outcomes = bench.run(MADE, Size.quick, modules / "results.md")
        assert [each.trouble for each in outcomes] == ["it ended with status 3", ""]
        written = blocks((modules / "results.md").read_text())
        assert "it ended with status 3" in written["first"]
        assert "| rate | 2 | 1/s | 1 – 3 (3) | >= 1 | yes |" in written["second"]
        assert "Second at night" in capsys.readouterr().out

    def test_the_status_tells_a_failure(
        self, modules: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bench, "chosen", lambda names: MADE)
        target = modules / "results.md"
        monkeypatch.setattr(sys, "argv", ["bench", "--results", str(target)])
        assert bench.main() == 1
        (modules / "first.py").write_text((modules / "second.py").read_text())
        assert bench.main() == 0

    def test_a_missing_program_leaves_a_part_out_and_says_so(self, modules: Path) -> None:
        part = Part("second", "Second", tools=("no-such-program",))
        [outcome] = bench.run([part], Size.quick, modules / "results.md")
        assert outcome.trouble == "left out, because this machine has no no-such-program"
        assert outcome.trouble in (modules / "results.md").read_text()

    def test_one_that_ends_without_a_figure_has_failed(self, modules: Path) -> None:
        (modules / "first.py").write_text("")
        assert bench.measure(MADE[0], Size.quick).trouble == "it ended without a figure"

    def test_one_that_never_ends_is_ended(
        self, modules: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (modules / "first.py").write_text("import signal; signal.pause()")
        monkeypatch.setitem(bench.LIMIT_SECONDS, Size.quick, 0.2)
        assert "longer than" in bench.measure(MADE[0], Size.quick).trouble


class TestFigures:
    def test_what_a_part_shows_is_read_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BENCH_FIGURES", str(tmp_path / "told"))
        figures = Figures()
        for value in (0.5, 0.25):
            figures.add("direct ÷ pgbench", "", value, ">= 0.35")
        show("Intake", list(figures.values()))
        [table] = bench.read_figures((tmp_path / "told").read_text())
        assert (table.title, table.figures) == (
            "Intake",
            [Figure("direct ÷ pgbench", "", [0.5, 0.25], ">= 0.35")],
        )

    def test_what_a_process_has_alone_is_part_of_its_share_of_all_it_has(self) -> None:
        memory = memory_of(os.getpid())
        assert 0 < memory.uss <= memory.pss <= memory.rss

    def test_the_last_line_of_the_producer_tool_counts(self) -> None:
        said = (
            "10001 records sent, 2000.1 records/sec (1.0 MB/sec), 3.0 ms avg latency.\n"
            "50000 records sent, 26123.3 records/sec (12.46 MB/sec), 8.1 ms avg latency.\n"
        )
        assert kafka_tools.produced(said) == 26123.3
        with pytest.raises(ValueError, match="not what"):
            kafka_tools.produced("Exception in thread main")

    def test_the_consumer_tool_is_read_by_the_name_of_its_column(self) -> None:
        said = (
            "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, "
            "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n"
            "2026-11-22 10:00:00:000, 2026-11-22 10:00:04:000, 25.0, 6.2, 50000, 12500.0, 3000, "
            "1000, 25.0, 50000.0\n"
        )
        assert kafka_tools.consumed(said) == 50000.0
        with pytest.raises(ValueError, match="not what"):
            kafka_tools.consumed("WARNING: nothing")


class TestParts:
    def test_every_part_is_a_module_with_a_command_line(self) -> None:
        for part in parts.PARTS:
            for size in Size:
                assert part.command(size)[:2] == ["-m", f"bench.{part.name}"]
            module = Path(parts.__file__).with_name(f"{part.name}.py")
            assert "def main() -> None:" in module.read_text(encoding="utf-8")

    def test_names_choose_in_the_order_of_the_list(self) -> None:
        assert [part.name for part in parts.chosen(["gateway", "intake"])] == ["intake", "gateway"]
        assert parts.chosen([]) == list(parts.PARTS)
        with pytest.raises(UnknownPart, match="no such part: intakes"):
            parts.chosen(["intakes"])


class TestMachine:
    def test_it_is_described_without_a_path(self) -> None:
        told = machine.in_short(machine.describe())
        assert "/" not in told.replace("GNU/Linux", "")
