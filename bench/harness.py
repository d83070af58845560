"""What every measurement uses: processes, CPU times, rounds, and figures with their spread."""

import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp

from devstack import postgres_home

ROOT = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
READY_SECONDS = 60.0
#: From here on values are single calls and not rounds; the worst of them says little.
MANY = 20


@dataclass
class Figure:
    """One line of the results: a value for each round."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    #: What it has to reach, such as ">= 0.35"; empty when it is only told.
    mark: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool | None:
        """Whether the mark is reached; None without one."""
        if not self.mark:
            return None
        relation, bound = self.mark.split()
        return self.median >= float(bound) if relation == ">=" else self.median <= float(bound)

    @property
    def spread(self) -> str:
        """The least and the greatest value, of many the 5th and 95th percentile; empty of one."""
        if len(self.values) < 2:
            return ""
        if len(self.values) < MANY:
            return f"{number(min(self.values))} – {number(max(self.values))}"
        return f"{number(percentile(self.values, 5))} – {number(percentile(self.values, 95))}"

    def line(self) -> str:
        """For the terminal."""
        said = {None: "", True: f"{self.mark}: yes", False: f"{self.mark}: NO"}[self.holds]
        return f"  {self.name:<58} {number(self.median):>9} {self.unit:<6} {self.spread:<22} {said}"


def number(value: float) -> str:
    """Three figures of it, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


class Figures(dict[str, Figure]):
    """The figures of a part by name, in the order in which they were first taken."""

    def add(self, name: str, unit: str, value: float, mark: str = "") -> None:
        """Add one round's value."""
        self.setdefault(name, Figure(name, unit, mark=mark)).values.append(value)


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print figures, and leave them for `python -m bench` where it asks for them."""
    print(f"\n{title}")
    for figure in figures:
        print(figure.line())
    target = os.environ.get("BENCH_FIGURES")
    if target:
        told = {"title": title, "figures": [asdict(figure) for figure in figures]}
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(json.dumps(told, ensure_ascii=False) + "\n")


@contextmanager
def scratch() -> Iterator[Path]:
    """A place for a stack or a server; it is gone afterwards with all that stands in for it."""
    with tempfile.TemporaryDirectory() as held:
        Path(held).chmod(0o711)  # PostgreSQL may run under an account of its own
        directory = Path(held) / "stack"
        try:
            yield directory
        finally:
            postgres_home.remove(directory / "postgres")


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours, ended at the end."""
    process = subprocess.Popen(command, env=dict(environment), cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


async def wait_for(url: str, *, seconds: float = READY_SECONDS) -> None:
    """Poll until an address answers 200.

    Raises:
        TimeoutError: it did not in time.
    """
    deadline = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} did not become ready")
            await asyncio.sleep(0.05)


def cpu_seconds(*pids: int) -> float:
    """User and system time of processes and of their children, ended ones included."""
    total = 0.0
    for pid in pids:
        for each in (pid, *_children(pid)):
            try:
                fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            except FileNotFoundError:
                continue
            total += sum(map(int, fields[11:15])) / _TICKS  # utime, stime, cutime, cstime
    return total


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one process in bytes, as Linux counts it in /proc/<pid>/smaps_rollup."""

    #: Everything it has in memory, what it shares with others counted in full.
    rss: int
    #: The same, what it shares divided by those who share it.
    pss: int
    #: What nobody else has: what would be free without it.
    uss: int


def memory_of(pid: int) -> Memory:
    """Memory of one process."""
    counted = {
        name: int(value.split()[0]) * 1024
        for name, _, value in (
            line.partition(":")
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        )
    }
    own = counted["Private_Clean"] + counted["Private_Dirty"]
    return Memory(rss=counted["Rss"], pss=counted["Pss"], uss=own)


def resident_bytes(pid: int) -> int:
    """Resident memory of one process."""
    return memory_of(pid).rss


def peak_mebibytes() -> float:
    """The most resident memory this program has had, MiB.

    Not `ru_maxrss`: that outlives `exec`, and so begins with the peak of whoever started the program.
    Source: proc_pid_status(5), VmHWM; getrusage(2).
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError("/proc/self/status names no VmHWM")


def family(pid: int) -> list[int]:
    """A process and all its descendants that run."""
    found = [pid]
    for each in found:
        found += _children(each)
    return found


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    try:
        listed = [(task / "children").read_text().split() for task in tasks.iterdir()]
    except FileNotFoundError:
        return []
    return [int(child) for line in listed for child in line]


def percentile(times: Sequence[float], percent: int) -> float:
    """Of at least two values."""
    return statistics.quantiles(times, n=100)[percent - 1]
