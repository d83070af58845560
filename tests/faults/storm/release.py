"""The next release of a service: a copy of the sources that is one migration and one field further."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.environment import command
from devstack.layout import ROOT
from servicekit.migration_head import migration_head

#: A table that the service writes under the crowd, to be widened.
TABLES = {"requests": "service_case", "evaluation": "evaluable"}
MIGRATE_SECONDS = 120.0
#: A migration waits for its lock four seconds, and is started again.
MIGRATE_TRIES = 5
_COPIED = ("contracts", "services")
_TYPE = re.compile(r"^( +)event_type: ClassVar\[str\] = .*$", re.MULTILINE)
_MIGRATION = '''\
"""Widen {table} for release {number}"""

import sqlalchemy as sa
from alembic import op

revision = "release{number}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("{table}", sa.Column("of_release_{number}", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("{table}", "of_release_{number}")
'''


class NotMigrated(Exception):
    """The migrations of a release did not run; with what they said."""


@dataclass(frozen=True, slots=True)
class Release:
    """Release `number` of one service, made in a directory of its own; the first copies ours."""

    service: str
    number: int
    directory: Path

    @classmethod
    def after(cls, before: "Release | None", service: str, beside: Path) -> "Release":
        """Make the release that follows another one, or what stands here."""
        number = before.number + 1 if before else 1
        release = cls(service, number, beside / f"{service}-release-{number}")
        release.directory.mkdir(parents=True)
        source = before.directory if before else ROOT
        for each in ROOT.iterdir():
            if each.name in _COPIED:
                shutil.copytree(source / each.name, release.directory / each.name)
            elif not each.name.startswith("."):
                (release.directory / each.name).symlink_to(each)
        release._widen_events()
        release._add_migration()
        return release

    def _widen_events(self) -> None:
        """Let every event of the service tell of which release it is; others do not know the field."""
        file = self.directory / "contracts" / f"{self.service}.py"
        field = rf"\g<0>\n\1release_{self.number}: bool = True"
        text, count = _TYPE.subn(field, file.read_text(encoding="utf-8"))
        assert count, "no event was found"
        file.write_text(text, encoding="utf-8")

    def _add_migration(self) -> None:
        chain = self.directory / "services" / self.service / "migrations"
        head = chain / ".head"
        before = head.read_text().strip()
        assert self.number > 1 or before == migration_head(f"services.{self.service}.migrations")
        names = {"number": self.number, "before": before, "table": TABLES[self.service]}
        text = _MIGRATION.format(**names)
        (chain / "versions" / f"9999-release_{self.number}.py").write_text(text)
        head.write_text(f"release{self.number}\n")

    @property
    def field(self) -> str:
        """What its events have and earlier ones have not."""
        return f"release_{self.number}"

    def migrate(self, environment: Mapping[str, str]) -> None:
        """Run its migrations as the job before a roll-out does, again when a lock was not to be had.

        Raises:
            NotMigrated: they failed again and again.
        """
        said = ""
        for _ in range(MIGRATE_TRIES):
            done = subprocess.run(
                command(self.service, "migrate"), env=dict(environment), cwd=self.directory,
                capture_output=True, text=True, check=False, timeout=MIGRATE_SECONDS,
            )  # fmt: skip
            if not done.returncode:
                return
            said = (done.stdout + done.stderr)[-2000:]
        raise NotMigrated(said)
