"""One storm from beginning to end, and how it is told."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.storm.audit import Findings, audit
from tests.faults.storm.crowd import Crowd, Diary
from tests.faults.storm.faults import FAULTS, Storm, in_turn
from tests.faults.storm.world import World

#: So that the crowd is seen to be well before the next fault.
_CALM_SECONDS = (0.5, 2.0)
#: Until every fault has come once, a storm may last so many times as long as it was to.
_PATIENCE = 4


@dataclass
class Outcome:
    """What happened, and what came of it."""

    seed: int
    faults: Counter[str]
    diary: Diary
    findings: Findings
    recovery_seconds: list[float]


async def run(
    directory: Path,
    *,
    seed: int,
    seconds: float,
    people: int,
    most_faults: int | None = None,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Start a world, let a storm rage over a crowd, bring everything back, and audit."""
    async with World(directory) as world:
        crowd = Crowd(world.stack, seed)
        await crowd.wait_until_intake_knows_the_item()
        # Faults and people draw from generators of their own: the order of faults is the seed's.
        storm = Storm(world, random.Random(seed))
        loading = asyncio.create_task(crowd.people(people))
        try:
            faults, recovery = await _rage(storm, crowd, seconds, most_faults, say)
            await world.mend()
            crowd.go_home()
            await loading
            say("everything runs again; auditing")
            findings = await audit(storm, crowd.diary, crowd.key)
        finally:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
            await crowd.close()
    return Outcome(seed, faults, crowd.diary, findings, recovery)


async def _rage(
    storm: Storm, crowd: Crowd, seconds: float, most: int | None, say: Callable[[str], None]
) -> tuple[Counter[str], list[float]]:
    """Each fault once, then more until the time is over; how many of each, and each one's recovery.

    On a slow machine, where a process takes half a minute to start, not all of them fit.
    """
    faults: Counter[str] = Counter()
    recovery: list[float] = []
    began = time.monotonic()
    for number, name in enumerate(in_turn(storm.random)[:most]):
        is_first_turn = number < len(FAULTS)
        if time.monotonic() - began > seconds * (_PATIENCE if is_first_turn else 1):
            break
        fault, _ = FAULTS[name]
        what = await fault(storm)
        faults[name] += 1
        over = time.monotonic()
        recovered = await crowd.next_submission(after=over)
        recovery.append(recovered - over)
        say(f"{over - began:6.1f} s  {name}: {what}; answered again after {recovery[-1]:.1f} s")
        await asyncio.sleep(storm.random.uniform(*_CALM_SECONDS))
    return faults, recovery


def report(outcome: Outcome) -> str:
    """A table for the terminal."""
    diary, findings = outcome.diary, outcome.findings
    lines = [f"seed {outcome.seed}", "", "faults injected"]
    lines += [f"  {name:<28} {outcome.faults[name]:>5}" for name in FAULTS]
    rated = sum(matter.rated is not None for matter in diary.matters)
    actions = sum(len(matter.done) for matter in diary.matters)
    figures: list[tuple[str, object]] = [
        ("requests acknowledged", len(diary.matters)),
        ("actions acknowledged", actions),
        ("ratings acknowledged", rated),
        ("timers that came due", sum(matter.is_silent for matter in diary.matters)),
        ("retries of the crowd", diary.retries),
        ("longest wait of one person", f"{diary.longest_wait_seconds:.1f} s"),
        ("longest time without an answer", f"{diary.longest_silence_seconds():.1f} s"),
        ("longest recovery after a fault", f"{max(outcome.recovery_seconds):.1f} s"),
        ("all effects there after", f"{findings.settled_after_seconds:.1f} s"),
    ]
    lines += ["", "what the crowd saw"]
    lines += [f"  {name:<32} {value!s:>8}" for name, value in figures]
    lines += ["", "what the audit found"]
    for name, found in findings.by_kind().items():
        lines.append(f"  {name.replace('_', ' '):<32} {len(found):>8}")
        lines += [f"      {each}" for each in found[:5]]
    return "\n".join(lines)
