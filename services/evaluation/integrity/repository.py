"""Queries of doubts and of the numbers of staff."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.evaluation.access import Scope
from services.evaluation.models import Detector, FlagState, IntegrityFlag, Rating, StaffNumber

_STAFF = text(
    "SELECT 1 FROM staff_number WHERE unit_code = :unit_code AND kind = ANY(:kinds) "
    "AND hash = ANY(:hashes) LIMIT 1"
)
_POSITION = text(
    "INSERT INTO scan_position (name, position) VALUES ('ratings', 0) ON CONFLICT (name) "
    "DO UPDATE SET position = scan_position.position RETURNING position"
)
_MOVE = text("UPDATE scan_position SET position = :position WHERE name = 'ratings'")
_SEEN = (
    "SELECT r.id, r.position, r.given_at, r.unit_code, r.responsible_division, e.applicant_id, "
    "r.channel, r.window_code, r.device_hash, r.phone_hash, r.text_hash, r.seconds_after, r.text "
    "FROM rating r JOIN evaluable e ON e.id = r.evaluable_id "
)
_COUNTS = "r.origin = 'resident' AND r.state = 'counted'"
_NEW = text(
    f"{_SEEN} WHERE r.position > :position AND r.given_at < :before "
    f"AND {_COUNTS} ORDER BY r.position LIMIT :limit"
)
#: What lies near the new ones, found by the indexes of each detector.
_NEAR = text(
    f"{_SEEN} WHERE {_COUNTS} AND r.device_hash = ANY(:devices) AND r.given_at > :since "
    f"UNION {_SEEN} WHERE {_COUNTS} AND r.phone_hash = ANY(:phones) AND r.given_at > :since "
    f"UNION {_SEEN} WHERE {_COUNTS} AND r.text_hash = ANY(:words) AND r.given_at > :since "
    f"UNION {_SEEN} WHERE {_COUNTS} AND r.window_code IS NOT NULL "
    "AND r.unit_code = ANY(:units) AND r.position > :from_position "
    "AND r.given_at > :burst_since"
)
#: Staff numbers of the rated unit among the devices and telephones of ratings.
_STAFF_USED = text(
    "SELECT r.id FROM rating r JOIN staff_number s ON s.unit_code = r.unit_code "
    "AND (s.kind = 'device' AND s.hash = r.device_hash "
    "OR s.kind = 'mobile' AND s.hash = r.phone_hash) WHERE r.id = ANY(:ids)"
)
_FLAG = IntegrityFlag.__table__  # type: ignore[attr-defined]


async def is_staff(
    session: AsyncSession, unit_code: str, kinds: Sequence[str], hashes: Sequence[bytes]
) -> bool:
    """Whether one of the hashes is of a unit's staff."""
    values: dict[str, Any] = {
        "unit_code": unit_code,
        "kinds": list(kinds),
        "hashes": list(hashes),
    }
    return (await session.execute(_STAFF, values)).first() is not None


async def lock_position(session: AsyncSession) -> int:
    """Up to which rating was looked; whoever looks holds this row."""
    return int((await session.execute(_POSITION)).scalar_one())


async def move_position(session: AsyncSession, position: int) -> None:
    """Write down up to which rating was looked."""
    await session.execute(_MOVE, {"position": position})


async def list_new(
    session: AsyncSession, position: int, *, before: datetime, limit: int
) -> Sequence[Any]:
    """Ratings after a position, in order; none so young that an earlier one may still commit."""
    values = {"position": position, "before": before, "limit": limit}
    return (await session.execute(_NEW, values)).all()


async def list_near(session: AsyncSession, values: Mapping[str, Any]) -> Sequence[Any]:
    """Ratings that share a device, a telephone, words or a window's minutes with new ones."""
    return (await session.execute(_NEAR, values)).all()


async def list_staff_used(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Which of the ratings were given with a number of the rated unit's staff."""
    return list((await session.scalars(_STAFF_USED, {"ids": list(ids)})).all())


async def add_flags(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> int:
    """Open doubts, each once; return how many are new."""
    statement = (
        upsert(IntegrityFlag)
        .values(list(rows))
        .on_conflict_do_nothing(index_elements=["rating_id", "detector"])
        .returning(col(IntegrityFlag.id))
    )
    return len((await session.execute(statement)).all())


async def lock_flag(session: AsyncSession, flag_id: UUID) -> Any | None:
    """One doubt, locked until the commit."""
    query = select(_FLAG).where(col(IntegrityFlag.id) == flag_id).with_for_update()
    return (await session.execute(query)).one_or_none()


async def close_flags(
    session: AsyncSession, rating_id: UUID, flag_id: UUID, values: Mapping[str, Any]
) -> None:
    """Decide a doubt, and the open ones of the same rating with it."""
    await session.execute(
        update(IntegrityFlag)
        .where(
            col(IntegrityFlag.rating_id) == rating_id,
            (col(IntegrityFlag.id) == flag_id) | (col(IntegrityFlag.state) == FlagState.open.value),
        )
        .values(**values)
    )


async def list_flags(
    session: AsyncSession,
    scope: Scope,
    *,
    state: FlagState,
    detector: Detector | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Doubts of a division with the level and day of their ratings, oldest first."""
    order = (col(IntegrityFlag.flagged_at), col(IntegrityFlag.id))
    query = (
        select(_FLAG, col(Rating.level), col(Rating.given_on))
        .join(Rating, col(Rating.id) == col(IntegrityFlag.rating_id))
        .where(col(IntegrityFlag.state) == state.value)
        .order_by(*order)
        .limit(limit)
    )
    if scope.division_prefix is not None:
        query = query.where(
            col(IntegrityFlag.responsible_division).startswith(
                scope.division_prefix, autoescape=True
            )
        )
    if detector is not None:
        query = query.where(col(IntegrityFlag.detector) == detector.value)
    if after is not None:
        at, flag_id = after
        query = query.where((order[0] > at) | ((order[0] == at) & (order[1] > flag_id)))
    return (await session.execute(query)).all()


async def add_staff_number(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Keep the hash of a number of a unit's staff."""
    await session.execute(insert(StaffNumber).values(**values))


async def find_staff_number(session: AsyncSession, number_id: UUID) -> Any | None:
    """One number."""
    query = select(StaffNumber.__table__).where(  # type: ignore[attr-defined]
        col(StaffNumber.id) == number_id
    )
    return (await session.execute(query)).one_or_none()


async def delete_staff_number(session: AsyncSession, number_id: UUID) -> None:
    """Forget a number: somebody left the unit."""
    await session.execute(delete(StaffNumber).where(col(StaffNumber.id) == number_id))


async def list_staff_numbers(session: AsyncSession, unit_code: str) -> Sequence[Any]:
    """Numbers of a unit, without what they are."""
    query = (
        select(
            col(StaffNumber.id),
            col(StaffNumber.unit_code),
            col(StaffNumber.kind),
            col(StaffNumber.added_at),
        )
        .where(col(StaffNumber.unit_code) == unit_code)
        .order_by(col(StaffNumber.id))
    )
    return (await session.execute(query)).all()
