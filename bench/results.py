"""`results.md`: a block of each part, which a later run of that part replaces, and what is over all.

The blocks lie between comments that no reader sees, so the file itself is all that is kept.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bench.harness import Figure, number
from bench.parts import Part

_BLOCK = re.compile(r"<!-- (?P<name>\w+) -->\n(?P<text>.*?)\n<!-- end (?P=name) -->", re.DOTALL)
_MACHINE = re.compile(r"<!-- machine -->\n(?P<text>.*?)\n<!-- end machine -->", re.DOTALL)
_MARKED = re.compile(
    r"^\| (?P<name>[^|]+) \| (?P<median>[^|]+) \|[^|]*\|[^|]*\| (?P<mark>[<>]=[^|]+) \| "
    r"(?P<holds>yes|\*\*no\*\*) \|$",
    re.MULTILINE,
)
HOLDS = {None: "", True: "yes", False: "**no**"}
HEAD = """\
# Results

Written by `make bench`; every part is one run on one machine, and a later run of a part replaces its
section alone. A figure is the median of its rounds with the least and the greatest beside it and their
number, or of single calls with their 5th and 95th percentile; a mark is what it has to reach. Ratios travel between machines, the other figures belong to the machine they
were taken on. What each part does stands at the head of its module in this folder; how to run it in
[README.md](README.md).
"""


@dataclass(frozen=True, slots=True)
class Table:
    """What a part showed under one title."""

    title: str
    figures: list[Figure]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one part."""

    part: Part
    command: str
    begun: datetime
    minutes: float
    #: The load average when it began.
    load: float
    tables: list[Table] = field(default_factory=list)
    #: Why there is nothing more; empty when it was measured to its end.
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """A figure with a mark, as the file states it."""

    part: str
    name: str
    median: str
    mark: str
    holds: bool


def merge(
    before: str, outcomes: Sequence[Outcome], machine: Mapping[str, str], parts: Sequence[Part]
) -> str:
    """The new text of the file: blocks of these outcomes, those of other parts as they were.

    The machine on top stays that of the blocks that stay; what was measured elsewhere says so.
    """
    kept = blocks(before)
    here = _machine_table(machine)
    there = _MACHINE.search(before)
    stays = kept.keys() - {outcome.part.name for outcome in outcomes}
    on_top = there["text"] if there and stays else here
    for outcome in outcomes:
        kept[outcome.part.name] = _block(outcome, None if on_top == here else machine)
    order = [part for part in parts if part.name in kept]
    text = [HEAD, "## Machine\n", f"<!-- machine -->\n{on_top}\n<!-- end machine -->\n"]
    text += ["## Marks\n", _marks_table(order, kept)]
    text += [
        f"<!-- {part.name} -->\n{kept[part.name]}\n<!-- end {part.name} -->\n" for part in order
    ]
    return "\n".join(text)


def blocks(text: str) -> dict[str, str]:
    """The text of each part, by its name."""
    found = {match["name"]: match["text"] for match in _BLOCK.finditer(text)}
    found.pop("machine", None)
    return found


def marked(name: str, block: str) -> list[Marked]:
    """Every figure of a part's block that has a mark."""
    return [
        Marked(name, row["name"], row["median"].strip(), row["mark"], row["holds"] == "yes")
        for row in _MARKED.finditer(block)
    ]


def _block(outcome: Outcome, elsewhere: Mapping[str, str] | None) -> str:
    lines = [f"## {outcome.part.title}", ""]
    told = f"`{outcome.command}`"
    if not outcome.tables and outcome.trouble:
        return "\n".join([*lines, f"{told}: {outcome.trouble}"])
    told += f" · {outcome.begun:%Y-%m-%d %H:%M} UTC, {outcome.minutes:.1f} minutes"
    lines.append(f"{told}, load average {outcome.load:.2f} when it began")
    if elsewhere is not None:
        lines += ["", f"On another machine: {', '.join(f'{k} {v}' for k, v in elsewhere.items())}"]
    if outcome.trouble:
        lines += ["", f"**Not to its end**: {outcome.trouble}"]
    for table in outcome.tables:
        lines += ["", table.title, "", "| figure | median | unit | spread | mark | holds |"]
        lines.append("|---|---:|---|---|---|---|")
        lines += [_row(figure) for figure in table.figures]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    spread = f"{figure.spread} ({len(figure.values)})" if figure.spread else ""
    cells = (figure.name, number(figure.median), figure.unit, spread, figure.mark)
    return f"| {' | '.join(cells)} | {HOLDS[figure.holds]} |"


def _marks_table(order: Sequence[Part], kept: Mapping[str, str]) -> str:
    rows = [each for part in order for each in marked(part.name, kept[part.name])]
    if not rows:
        return "None was measured.\n"
    missed = [row for row in rows if not row.holds]
    lines = [f"{len(rows) - len(missed)} of {len(rows)} hold."]
    if missed:
        lines += ["", "| does not hold | part | median | mark |", "|---|---|---:|---|"]
        lines += [f"| {row.name} | {row.part} | {row.median} | {row.mark} |" for row in missed]
    return "\n".join([*lines, ""])


def _machine_table(machine: Mapping[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in machine.items())])
