"""What every measurement uses: processes, CPU times, rounds, and figures with their spread."""

import asyncio
import json
import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")
READY_SECONDS = 60.0


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

    def line(self) -> str:
        """For the terminal."""
        spread = f"[{min(self.values):.4g} – {max(self.values):.4g}]"
        said = {None: "", True: f"{self.mark}: yes", False: f"{self.mark}: NO"}[self.holds]
        return f"  {self.name:<58} {self.median:>9.4g} {self.unit:<6} {spread:<22} {said}"


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


def resident_bytes(pid: int) -> int:
    """Resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


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
