"""Fetches the jars of a server once per machine, with Maven, into a cache outside the clone."""

import fcntl
import os
import pwd
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devstack.errors import DevstackError
from devstack.java import find_maven

COMPLETE: Final = "complete"

Progress = Callable[[str], None]


class JarsUnavailable(DevstackError):
    """The jars are not in the cache and Maven could not fetch them."""


@dataclass(frozen=True, slots=True)
class Jars:
    """A server that Maven fetches: its name, and the pom that names its jars and its version."""

    name: str
    pom: Path

    def version(self) -> str:
        """The version that the pom names."""
        version = ElementTree.parse(self.pom).findtext(f"properties/{self.name}.version")  # noqa: S314 - our own file
        assert version is not None
        return version

    def cache_directory(self, fallback: Path) -> Path:
        """Where they are kept: the user's cache, or below `fallback` when that is not writable."""
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        preferred = Path(base) / "yichuang"
        try:
            preferred.mkdir(parents=True, exist_ok=True)
        except OSError:
            preferred = fallback
        if not os.access(preferred, os.W_OK):
            preferred = fallback
        return preferred / f"{self.name}-{self.version()}"

    def are_cached(self, fallback: Path) -> bool:
        return (self.cache_directory(fallback) / COMPLETE).exists()

    def fetch(self, fallback: Path, progress: Progress) -> Path:
        """The directory with the jars, downloaded on first use.

        Raises:
            JarsUnavailable: Maven is missing or failed; with its own words.
        """
        target = self.cache_directory(fallback)
        if (target / COMPLETE).exists():
            return target
        maven = find_maven()
        if maven is None:
            raise JarsUnavailable("Maven is not installed")
        with _alone(target.with_name("maven.lock")):
            if (target / COMPLETE).exists():  # another process was first
                return target
            partial = target.with_name(f"{target.name}.partial")
            for leftover in (partial, target):
                shutil.rmtree(leftover, ignore_errors=True)
            partial.mkdir(parents=True)
            try:
                _download(maven, self.pom, partial, progress)
                (partial / COMPLETE).touch()
                partial.rename(target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return target


KAFKA: Final = Jars("kafka", Path(__file__).with_name("kafka-pom.xml"))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock against other processes: Maven's repository is not safe for two at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(maven: Path, pom: Path, directory: Path, progress: Progress) -> None:
    command = [str(maven), "--batch-mode", "--strict-checksums", "--file", str(pom)]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
    command += [f"-DoutputDirectory={directory}"]
    repository = directory / "repository"
    if not _home_is_writable():
        command += [f"-Dmaven.repo.local={repository}"]
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 - no shell, our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            jar = re.search(r"^Downloaded .*/([^/ ]+\.jar)", line)
            if jar:
                progress(f"fetched {jar.group(1)}")
    shutil.rmtree(repository, ignore_errors=True)
    if process.returncode != 0:
        errors = [line for line in said if "ERROR" in line] or said
        raise JarsUnavailable("Maven could not fetch the jars:\n" + "".join(errors[:10]))


def _home_is_writable() -> bool:
    """Whether Maven can use its repository below the home that Java takes from the account."""
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    repository = home / ".m2"
    return os.access(repository if repository.exists() else home, os.W_OK)
