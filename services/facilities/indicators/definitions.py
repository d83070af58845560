"""The definitions of indicators: loaded from their file, read by everyone."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.indicators.rules import FORMULAS
from services.facilities.indicators.schemas import Definition, DefinitionRead, Definitions
from services.facilities.models import Base

_INDICATOR = Base.metadata.tables["indicator"]


async def load(session: AsyncSession, read: Definitions) -> int:
    """Record the definitions in place of those before; return how many there are."""
    rows = [
        {"code": one.code, "position": position, "definition": one.model_dump(mode="json")}
        for position, one in enumerate(read.indicators)
    ]
    statement = upsert(_INDICATOR).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["code"],
            set_={name: statement.excluded[name] for name in ("position", "definition")},
        )
    )
    codes = [row["code"] for row in rows]
    await session.execute(delete(_INDICATOR).where(_INDICATOR.c.code.not_in(codes)))
    return len(rows)


async def list_all(session: AsyncSession) -> list[Definition]:
    """Every definition in the order of the file."""
    statement = select(_INDICATOR.c.definition).order_by(_INDICATOR.c.position)
    return [Definition.model_validate(one) for one in await session.scalars(statement)]


async def list_spelled_out(session: AsyncSession) -> list[DefinitionRead]:
    """Every definition with the measures its formula divides."""
    spelled = []
    for one in await list_all(session):
        formula = FORMULAS[one.formula] if one.formula else None
        spelled.append(
            DefinitionRead(
                **one.model_dump(),
                numerator=formula.numerator if formula else None,
                denominator=formula.denominator if formula else None,
                factor=formula.factor if formula else None,
            )
        )
    return spelled
