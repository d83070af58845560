"""Every measurement, one after the other: `python -m bench [part …] [--size usual]`.

Each part runs in a process of its own; what it measured goes to the terminal and into `results.md`
as soon as it has ended, so that one that fails, or ctrl-C, takes nothing from the others. The status
is 1 when a part failed. A part that lacks a program is left out, and the file says so.
"""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, results
from bench.harness import ROOT, Figure
from bench.parts import PARTS, Part, Size, chosen
from bench.results import Outcome, Table
from devstack.kafka import GIVEN

RESULTS = Path(__file__).with_name("results.md")
#: Of small sizes: they show that everything runs, and nothing is quoted from them.
QUICK_RESULTS = ROOT / ".local" / "bench-quick.md"
#: Longer than any part takes on a slow machine.
LIMIT_SECONDS = {Size.quick: 900.0, Size.usual: 3600.0, Size.full: 6 * 3600.0}
STOP_SECONDS = 60.0
LAST_LINES = 20


def read_figures(text: str) -> list[Table]:
    """The tables that `harness.show` told, one JSON document a line."""
    told = [json.loads(line) for line in text.splitlines()]
    return [Table(each["title"], [Figure(**figure) for figure in each["figures"]]) for each in told]


def measure(part: Part, size: Size) -> Outcome:
    """Run one part to its end, or to what stops it."""
    command = part.command(size)
    begun, load, started = datetime.now(UTC), machine.load(), time.monotonic()
    missing = part.missing()
    tables: list[Table] = []
    if missing:
        trouble = f"left out, because this machine has no {' and no '.join(missing)}"
    else:
        with tempfile.TemporaryDirectory() as directory:
            figures, output = Path(directory) / "figures", Path(directory) / "output"
            figures.touch()
            environment = os.environ | {"BENCH_FIGURES": str(figures)}
            environment.pop(GIVEN, None)  # the broker of a measurement is its own, and is stopped
            trouble = _run(command, environment, output, LIMIT_SECONDS[size])
            tables = read_figures(figures.read_text(encoding="utf-8"))
            if trouble:
                said = output.read_text(encoding="utf-8", errors="replace").splitlines()
                print("\n".join(said[-LAST_LINES:]), file=sys.stderr)
    if not missing and not trouble and not tables:
        trouble = "it ended without a figure"
    minutes = (time.monotonic() - started) / 60
    shown = shlex.join(["python", *command])
    return Outcome(part, shown, begun, minutes, load, tables, trouble)


def _run(
    command: Sequence[str], environment: dict[str, str], output: Path, limit_seconds: float
) -> str:
    """Run a command to its end; why it did not get there, or nothing."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=ROOT, stdout=file, stderr=file
        )
        try:
            status = process.wait(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            return f"it took longer than {limit_seconds / 60:.0f} minutes"
        finally:
            if process.poll() is None:  # our own ctrl-C has reached it, too
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(timeout=STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
    return f"it ended with status {status}" if status else ""


def run(parts: Sequence[Part], size: Size, target: Path) -> list[Outcome]:
    """Measure parts in turn; each is on the screen and in the file before the next begins."""
    outcomes = []
    here = machine.describe()
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    print(machine.in_short(here))
    for number, part in enumerate(parts, 1):
        print(f"\n[{number}/{len(parts)}] {part.title} …", flush=True)
        outcome = measure(part, size)
        outcomes.append(outcome)
        for table in outcome.tables:
            print(f"\n{table.title}")
            for figure in table.figures:
                print(figure.line())
        if outcome.trouble:
            print(f"{part.name}: {outcome.trouble}")
        target.write_text(results.merge(before, outcomes, here, PARTS), encoding="utf-8")
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """What to look at: marks that do not hold, parts that were not measured."""
    figures = [
        (outcome.part.name, figure)
        for outcome in outcomes
        for table in outcome.tables
        for figure in table.figures
        if figure.mark
    ]
    missed = [f"  {name}: {figure.line().strip()}" for name, figure in figures if not figure.holds]
    minutes = sum(outcome.minutes for outcome in outcomes)
    lines = [f"{len(figures) - len(missed)} of {len(figures)} marks hold; {minutes:.0f} minutes"]
    lines += missed
    lines += [f"  {each.part.name}: {each.trouble}" for each in outcomes if each.trouble]
    return lines


def main() -> int:
    """Run what was asked for; 1 when a part failed, 0 also when a mark does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help="all when none is named")
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.usual)
    parser.add_argument("--results", type=Path, help="of the quick size below .local")
    arguments = parser.parse_args()
    target = arguments.results or (QUICK_RESULTS if arguments.size == Size.quick else RESULTS)
    target.parent.mkdir(parents=True, exist_ok=True)
    outcomes = run(chosen(arguments.parts), arguments.size, target)
    print("", *summary(outcomes), f"{target} is written", sep="\n")
    left_out = {each.part.name for each in outcomes if each.part.missing()}
    return int(any(each.trouble and each.part.name not in left_out for each in outcomes))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
