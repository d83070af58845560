"""What a service says of its rows: which belong together, what is wrong, what becomes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.sheets import Cells

T = TypeVar("T")
#: Longer values are cut in reports.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read; its number is the one the sheet shows, the header being 1."""

    number: int
    cells: Cells


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in which field of a row, and what would put it right."""

    row: int
    field: str
    value: str
    message: str
    remedy: str
    #: False for something worth telling of a row that is taken in all the same.
    is_refusal: bool = True

    @classmethod
    def of(cls, row: Row, name: str, message: str, remedy: str, **more: Any) -> "Problem":
        """A problem with the cell of that name, as it stands in the sheet."""
        value = row.cells.get(name, "")
        return cls(row.number, name, str(value)[:_SHOWN], message, remedy, **more)


class Outcome(StrEnum):
    """What became of a row."""

    created = "created"
    changed = "changed"
    unchanged = "unchanged"


@dataclass
class Checked(Generic[T]):
    """Rows that may be applied, by number, and what is wrong with the others, or worth telling."""

    ready: dict[int, T] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ImportJob:
    """The job a batch of rows belongs to."""

    id: UUID
    kind: str
    division_code: str
    preset: str | None
    file_name: str
    owner_id: UUID
    owner_name: str | None
    is_dry_run: bool


class RowHandler(Protocol[T]):
    """How a service takes rows in; two methods, both for a batch of up to 200 rows at a time."""

    def key(self, job: ImportJob, row: Row) -> str | None:
        """What the row is about: of two rows of a file with the same key the second is refused."""
        ...

    async def check(self, session: AsyncSession, job: ImportJob, rows: Sequence[Row]) -> Checked[T]:
        """Sort rows into those that may be applied and those with problems; writes nothing.

        A row must be in `ready`, or have a refusal among `problems`.
        """
        ...

    async def apply(
        self, session: AsyncSession, job: ImportJob, ready: Mapping[int, T]
    ) -> Mapping[int, Outcome | Problem]:
        """Write the rows and say what became of each; one that stands so already is unchanged.

        Runs in a savepoint that is rolled back in a dry run. A `ServiceError` or a violated
        constraint undoes the batch, which is then applied row by row.
        """
        ...
