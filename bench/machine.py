"""The machine of a measurement: what a reader must know to compare; no name and no path of it."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from devstack import postgres_home
from devstack.jars import KAFKA
from devstack.java import find_java, java_version

ABSENT = "not here"


def describe() -> dict[str, str]:
    """What it is made of and runs, by name."""
    return {
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": _memory(),
        "system": f"{_distribution()}, {platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "PostgreSQL": _version([str(postgres_home.installation() / "bin" / "postgres")]),
        "Kafka": _kafka(),
        "nginx": _version(["nginx"], "-v"),
        "wrk": _version(["wrk"], "-v"),
    }


def in_short(machine: dict[str, str]) -> str:
    """On one line."""
    return ", ".join(
        value if name in ("processor", "memory", "system") else f"{name} {value}"
        for name, value in machine.items()
    )


def load() -> float:
    """How many processes wanted a processor in the last minute: near 0 on a quiet machine."""
    return os.getloadavg()[0]


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _memory() -> str:
    found = re.search(r"^MemTotal:\s*(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    return f"{int(found[1]) / 2**20:.1f} GiB" if found else "unknown"


def _distribution() -> str:
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', _read("/etc/os-release"), re.MULTILINE)
    return found[1] if found else "unknown"


def _kafka() -> str:
    java = find_java()
    if java is None:
        return ABSENT
    return f"{KAFKA.version()} (Java {java_version(java)})"


def _version(program: list[str], flag: str = "--version") -> str:
    """The first number with a dot that a program says of itself."""
    if shutil.which(program[0]) is None:
        return ABSENT
    said = subprocess.run([*program, flag], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(?:\.\d+)?", said.stdout + said.stderr)
    return found[0] if found else "unknown"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
