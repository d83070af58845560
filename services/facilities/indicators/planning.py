"""Which indicators would move if something were added."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import Invalid
from servicekit.identifiers import new_id
from services.facilities.divisions import service as divisions
from services.facilities.indicators import repository, service
from services.facilities.indicators.schemas import DivisionMoves, Move, WhatIf, WhatIfAnswer
from services.facilities.indicators.service import Counted
from services.facilities.types import service as types

#: A move smaller than this is the last bit of a float.
NO_MOVE = 1e-12


class NotACommunity(Invalid):
    code, title = "not-a-community", "请选择一个现有的村或社区"


class TypeUnknown(Invalid):
    code, title = "type-unknown", "设施类型字典里没有这个类型"


async def what_if(session: AsyncSession, body: WhatIf) -> WhatIfAnswer:
    """Which indicators would move, from the village upwards, if places were added. Writes nothing.

    Raises:
        NotACommunity: the division is none in force.
        TypeUnknown: the dictionary has no such type.
    """
    extra = []
    for place in body.add:
        if not await types.is_known(session, place.facility_type):
            raise TypeUnknown(f"设施类型字典里没有 {place.facility_type}")
        extra.append(place.model_dump() | {"id": new_id(), "division_code": body.division_code})
    before = await repository.measure_with(session, body.division_code, [])
    after = await repository.measure_with(session, body.division_code, extra)
    if before is None or after is None:
        raise NotACommunity
    division = await divisions.get(session, body.division_code)
    chain = [(body.division_code, division.name)]
    chain += [(above.code, above.name) for above in reversed(division.ancestors)]
    kept = await repository.find_sums(session, [code for code, _ in chain])
    counted = await service.all_counted(session)
    moved = []
    for code, name in chain:
        with_it = {key: kept[code][key] + after[key] - before[key] for key in after}
        moved.append(
            DivisionMoves(
                division_code=code, name=name, moves=_moves(counted, code, kept[code], with_it)
            )
        )
    return WhatIfAnswer(divisions=moved)


def _moves(
    counted: Sequence[Counted],
    code: str,
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> list[Move]:
    moves = []
    for one in counted:
        old, new = service.value_of(one, before, code), service.value_of(one, after, code)
        if old.value == new.value or (
            old.value is not None and new.value is not None and abs(old.value - new.value) < NO_MOVE
        ):
            continue
        moves.append(
            Move(
                indicator=old.indicator,
                name=old.name,
                unit=old.unit,
                before=old.value,
                after=new.value,
                was_met=old.is_met,
                is_met=new.is_met,
            )
        )
    return moves
