"""The unprivileged account that PostgreSQL runs under when the development stack is run by root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from devstack.errors import DevstackError

ACCOUNT_NAME: Final = "yichuang-postgres"


class AccountUnavailable(DevstackError):
    """No unprivileged account exists and none could be made."""


class Identity(TypedDict, total=False):
    """Keyword arguments of `subprocess` that make a child run as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server runs as."""

    uid: int
    gid: int

    @property
    def identity(self) -> Identity:
        """Empty when that is who we are already."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give `path` to the account (only root gives files away)."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def may_enter(self, directory: Path) -> bool:
        """Whether the account can reach `directory`; asks the kernel as that account."""
        return self.runs(["/bin/sh", "-c", 'cd "$0"', str(directory)])

    def runs(self, command: list[str]) -> bool:
        """Whether `command` exits with 0 as this account."""
        try:
            outcome = subprocess.run(  # noqa: S603 - no shell, our own arguments
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=30,
                cwd=os.sep,
                **self.identity,
            )
        except OSError:
            return False
        return outcome.returncode == 0


def server_account() -> Account:
    """Ourselves, or for root the system user made for the purpose.

    Raises:
        AccountUnavailable: root, and no tool of this system could create the user.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    entry = find() or _create()
    return Account(entry.pw_uid, entry.pw_gid)


def find() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    commands = [
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"],
        ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin"],  # busybox
    ]
    complaints = []
    for tool, *options in commands:
        program = shutil.which(tool)
        if program is None:
            continue
        outcome = subprocess.run(  # noqa: S603 - no shell, our own arguments
            [program, *options, ACCOUNT_NAME], check=False, capture_output=True, text=True
        )
        entry = find()  # also when two of us created it at once and one lost
        if entry is not None:
            return entry
        complaints.append(f"{tool}: {outcome.stderr.strip() or outcome.stdout.strip()}")
    raise AccountUnavailable(
        "PostgreSQL refuses to run as root, and the system user it would run under "
        f"({ACCOUNT_NAME}) could not be created: "
        + ("; ".join(complaints) or "neither useradd nor adduser was found")
        + ". Create that user, or run as an ordinary user."
    )
