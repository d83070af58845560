"""Many entries at once, as an import writes them: locked, compared, written with their history."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.outbox import now
from services.catalogue.basics import repository
from services.catalogue.basics.content import BasicContent
from services.catalogue.basics.service import changed_values, history_row, new_row


@dataclass(frozen=True, slots=True)
class Taken:
    """What an entry says from now on: a new one, or one that is there and locked."""

    basic_code: str
    division_code: str
    content: BasicContent
    state: str
    #: The entry's row as it was locked.
    known: Any | None

    @property
    def stands_so(self) -> bool:
        """Whether it says the same already."""
        return (
            self.known is not None
            and self.known.state == self.state
            and BasicContent.model_validate(self.known.content) == self.content
        )


async def lock_known(
    session: AsyncSession, codes: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Any]:
    """Entries by division and code, their rows locked in one order until the transaction ends."""
    rows = await repository.lock_by_codes(session, codes)
    return {(row.division_code, row.basic_code): row for row in rows}


async def take_in(
    session: AsyncSession,
    taken: Sequence[Taken],
    *,
    actor: str,
    actor_name: str | None,
    reason: str,
) -> None:
    """Write entries that do not stand so already, each with its history."""
    at, new, history = now(), [], []
    for each in taken:
        if each.known is None:
            row = new_row(each.basic_code, each.division_code, each.content, at)
            row["state"] = each.state
            new.append(row)
        else:
            values = changed_values(each.known.version, each.content, each.state, at)
            await repository.change(session, each.known.id, **values)
            row = {"id": each.known.id, **values}
        history.append(history_row(row, "import", actor, actor_name, reason))
    if new:
        await repository.add(session, new)
    if history:
        await repository.add_history(session, history)
