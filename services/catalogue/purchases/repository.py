"""Every query about purchases."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.catalogue.divisions import division_chain
from services.catalogue.models import PurchaseProject, PurchaseService, PurchaseStep, Stage


def _services() -> Select[Any]:
    return select(*PurchaseService.__table__.c)  # type: ignore[attr-defined]


def _projects() -> Select[Any]:
    return select(*PurchaseProject.__table__.c)  # type: ignore[attr-defined]


async def _all(session: AsyncSession, query: Select[Any]) -> Sequence[Any]:
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def lock_service(session: AsyncSession, division: str, code: str) -> Any | None:
    query = _services().where(
        col(PurchaseService.division_code) == division, col(PurchaseService.code) == code
    )
    return (await session.execute(query.with_for_update())).one_or_none()


async def find_service(session: AsyncSession, service_id: UUID) -> Any | None:
    query = _services().where(col(PurchaseService.id) == service_id)
    return (await session.execute(query)).one_or_none()


async def list_services(
    session: AsyncSession, *, division: str, on: date, after: UUID | None, limit: int
) -> Sequence[Any]:
    """The guiding lists that hold for a division on a day."""
    until = col(PurchaseService.valid_until)
    query = (
        _services()
        .where(
            col(PurchaseService.division_code).in_(division_chain(division)),
            col(PurchaseService.valid_from) <= on,
            or_(until.is_(None), until >= on),
        )
        .order_by(col(PurchaseService.id))
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(PurchaseService.id) > after)
    return await _all(session, query)


async def put_service(session: AsyncSession, **values: Any) -> None:
    statement = postgresql.insert(PurchaseService).values(**values)
    kept = {name: statement.excluded[name] for name in values if name != "id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=kept))


async def add_project(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(PurchaseProject).values(**values))


async def find_project(session: AsyncSession, project_id: UUID) -> Any | None:
    query = _projects().where(col(PurchaseProject.id) == project_id)
    return (await session.execute(query)).one_or_none()


async def lock_project(session: AsyncSession, project_id: UUID) -> Any | None:
    query = _projects().where(col(PurchaseProject.id) == project_id).with_for_update()
    return (await session.execute(query)).one_or_none()


async def list_projects(
    session: AsyncSession,
    *,
    within: str,
    public: bool,
    stage: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Projects of a subtree; the public sees those that were once announced."""
    query = (
        _projects()
        .where(col(PurchaseProject.division_code).startswith(division_prefix(within)))
        .order_by(col(PurchaseProject.id))
        .limit(limit)
    )
    if public:
        announced = exists().where(
            col(PurchaseStep.project_id) == col(PurchaseProject.id),
            col(PurchaseStep.stage) == Stage.announced,
        )
        query = query.where(announced)
    if stage is not None:
        query = query.where(col(PurchaseProject.stage) == stage)
    if after is not None:
        query = query.where(col(PurchaseProject.id) > after)
    return await _all(session, query)


async def change_project(
    session: AsyncSession, project_id: UUID, *, changed_at: datetime, **values: Any
) -> None:
    """Write a project's row, which must be locked."""
    await session.execute(
        update(PurchaseProject)
        .where(col(PurchaseProject.id) == project_id)
        .values(changed_at=changed_at, **values)
    )


async def add_step(session: AsyncSession, **values: Any) -> None:
    await session.execute(insert(PurchaseStep).values(**values))


async def list_steps(session: AsyncSession, project_id: UUID) -> Sequence[Any]:
    """The stages that were reached, in their order."""
    query = (
        select(*PurchaseStep.__table__.c)  # type: ignore[attr-defined]
        .where(col(PurchaseStep.project_id) == project_id)
        .order_by(col(PurchaseStep.recorded_at), col(PurchaseStep.happened_on))
    )
    return await _all(session, query)
