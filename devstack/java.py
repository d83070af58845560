"""Finds Java 17 or newer, which Apache Kafka 4 needs, and Maven, which fetches its jars."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

# Source: Apache Kafka 4.0 upgrade notes: brokers need Java 17.
OLDEST_JAVA: Final = 17


def find_java() -> Path | None:
    """A Java that is new enough: JAVA_HOME's, or the one on the PATH."""
    for path in _candidates("java", "JAVA_HOME"):
        version = java_version(path)
        if version is not None and version >= OLDEST_JAVA:
            return path
    return None


def find_maven() -> Path | None:
    """Maven's launcher: MAVEN_HOME's, or the one on the PATH."""
    return next(iter(_candidates("mvn", "MAVEN_HOME")), None)


def java_version(java: Path) -> int | None:
    """The major version that `java -version` states; None when it does not run."""
    try:
        outcome = subprocess.run(  # noqa: S603 - no shell
            [str(java), "-version"], check=False, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_java_version(outcome.stderr)


def parse_java_version(text: str) -> int | None:
    """`17` from `openjdk version "17.0.15"`, `8` from `java version "1.8.0_402"`."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if found is None:
        return None
    major, minor = found.groups()
    return int(minor) if major == "1" and minor else int(major)


def _candidates(program: str, home_variable: str) -> list[Path]:
    found = []
    home = os.environ.get(home_variable)
    if home and os.access(Path(home) / "bin" / program, os.X_OK):
        found.append(Path(home) / "bin" / program)
    on_path = shutil.which(program)
    if on_path:
        found.append(Path(on_path))
    return found
