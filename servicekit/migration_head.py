"""What revisions a chain has, read without Alembic: every process asks, only one migrates."""

import re
from importlib.resources import files
from typing import NamedTuple

_REVISION = re.compile(r"^revision(?:: str)? = ['\"](\w+)['\"]", re.MULTILINE)


class Chain(NamedTuple):
    """The newest revision that the code knows, and those before it."""

    head: str
    earlier: frozenset[str] = frozenset()

    def is_reached(self, found: str | None) -> bool:
        """Whether a database at a revision has what the code needs.

        A revision that the code does not know is of a later release, whose migrations run before
        its processes do: they work with the code before them, which goes on until it is replaced.
        """
        return found is not None and found not in self.earlier


def migration_head(package: str) -> str:
    """The revision in the `.head` file of a chain such as `services.requests.migrations`."""
    return files(package).joinpath(".head").read_text().strip()


def migration_chain(package: str) -> Chain:
    """The head of a chain and every revision before it."""
    head = migration_head(package)
    texts = (
        file.read_text(encoding="utf-8")
        for file in files(package).joinpath("versions").iterdir()
        if file.name.endswith(".py")
    )
    found = {name for text in texts for name in _REVISION.findall(text)}
    return Chain(head, frozenset(found - {head}))
