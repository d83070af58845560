"""How a case came to its unit, and which cases have none yet."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from servicekit.auth import Caller
from services.requests.cases import repository
from services.requests.cases.access import ensure_may_read
from services.requests.cases.rules import TRANSITIONS, Action
from services.requests.cases.service import CaseNotFound
from services.requests.cases.transitions import load_dossier
from services.requests.models import ServiceCase as C
from services.requests.routing.schemas import CaseRouting, UnitChange

_MOVES = frozenset({Action.dispatch, Action.send_back, Action.hand_up, Action.transfer})
#: States in which a case can be dispatched; in the statement as they are, to fit the partial index.
_DISPATCHABLE: BindParameter[Any] = bindparam(
    "states", sorted(TRANSITIONS[Action.dispatch].sources), expanding=True, literal_execute=True
)


async def get_routing(session: AsyncSession, *, case_id: UUID, caller: Caller) -> CaseRouting:
    """The decision at receipt and what people changed of it.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    dossier = await load_dossier(session, case_id, lock=False)
    if dossier is None:
        raise CaseNotFound
    ensure_may_read(dossier.case, caller, dossier.opinions)
    history = await repository.list_history(session, case_id)
    return CaseRouting(
        decision=dossier.case.routing,
        unit_code=dossier.case.unit_code,
        changes=[
            UnitChange.model_validate(entry, from_attributes=True)
            for entry in history
            if entry.action in _MOVES
        ],
    )


async def list_undispatched(
    session: AsyncSession, division_code: str, *, after: UUID | None, limit: int
) -> Sequence[Any]:
    """Cases without a unit in a division's subtree, first come first (by id).

    Those that silence accepted, and those a village handed up, wait like the others.
    """
    columns = (
        col(C.id), col(C.case_number), col(C.item_code), col(C.item_name), col(C.division_code),
        col(C.version), col(C.received_on), col(C.routing),
    )  # fmt: skip
    prefix = division_prefix(division_code)
    statement = select(*columns).where(
        col(C.unit_code).is_(None),
        col(C.state).in_(_DISPATCHABLE),
        func.left(col(C.division_code), len(prefix)) == prefix,
    )
    if after is not None:
        statement = statement.where(col(C.id) > after)
    return (await session.execute(statement.order_by(col(C.id)).limit(limit))).all()
