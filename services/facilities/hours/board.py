"""The places of a county that are open now: computed once, and again when anything changes.

An answer is kept until the first of its places opens or closes, and only while neither a facility
of the division nor a calendar was written: both are asked for with one statement on each call.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, division_level
from servicekit.errors import Invalid
from services.facilities.divisions.service import subtree
from services.facilities.hours import repository, service
from services.facilities.hours.rules import LOCAL
from services.facilities.hours.schemas import OpenNow, OpenPlace

#: Divisions for which a process keeps an answer.
KEPT_DIVISIONS = 256
#: Beyond a county the list is no answer any more.
_WIDEST = (DivisionLevel.province, DivisionLevel.city)


class DivisionTooWide(Invalid):
    code, title = "division-too-wide", "请按县（市、区）、乡镇（街道）或村（社区）查询"


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: OpenNow
    state: tuple[int, int, int]


class OpenBoard:
    """What one process remembers of who is open."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.computed = 0

    async def read(self, session: AsyncSession, within: str) -> OpenNow:
        """The places open now in a county or below.

        Raises:
            DivisionTooWide: a city or a province.
        """
        if division_level(within) in _WIDEST:
            raise DivisionTooWide
        now = service.local_moment(None)
        state = await repository.state_of(session, subtree(within))
        kept = self._kept.get(within)
        if kept is None or kept.state != state or not kept.answer.at <= now < kept.answer.until:
            kept = _Kept(await compute(session, within, now), state)
            self.computed += 1
            self._kept[within] = kept
            if len(self._kept) > KEPT_DIVISIONS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(within)
        return kept.answer


async def compute(session: AsyncSession, within: str, moment: datetime) -> OpenNow:
    """The places open at a moment, and until when that list stays as it is."""
    rows = await repository.list_operating(session, subtree(within))
    found = await service.openings(session, rows, moment)
    places = [
        OpenPlace(
            id=row.id,
            name=row.name,
            facility_type=row.facility_type,
            type_name=row.type_name,
            division_code=row.division_code,
            address=row.address,
            phone=row.phone,
            latitude=row.latitude,
            longitude=row.longitude,
            closes_at=found[row.id].next_change_at,
            last_entry_at=found[row.id].last_entry_at,
        )
        for row in rows
        if found[row.id].is_open
    ]
    changes = [one.next_change_at for one in found.values() if one.next_change_at is not None]
    midnight = moment.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return OpenNow(
        within=within,
        at=moment,
        until=min([*changes, midnight + timedelta(days=1)]),
        items=places,
        closed=sum(one.is_open is False for one in found.values()),
        unknown=sum(one.is_open is None for one in found.values()),
    )
