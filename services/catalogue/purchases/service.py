"""Use cases of purchases: the guiding list, and the stages of each project."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_level
from servicekit.auth import Caller, WrongRole
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.paging import cut, encode_cursor, id_cursor
from services.catalogue.admissions.checks import ADMITTER, READERS
from services.catalogue.departments import ensure_speaks_for
from services.catalogue.divisions import division_chain
from services.catalogue.items.publishing import CHINA
from services.catalogue.items.violation import Violation
from services.catalogue.models import Stage
from services.catalogue.purchases import repository, rules
from services.catalogue.purchases.schemas import ProjectCreate, ServicePut, StageBase, StageReach


class ServiceNotFound(NotFound):
    code, title = "purchase-service-not-found", "指导性目录里没有这项服务"


class ServiceTaken(Conflict):
    code, title = "purchase-service-taken", "刚刚有人建立了这项服务，请刷新后再试"


class ProjectNotFound(NotFound):
    code, title = "purchase-not-found", "没有找到这个购买项目"


class PurchaseInvalid(Invalid):
    code, title = "purchase-invalid", "填写的内容有误，请按提示逐条修改"


class StageRefused(Conflict):
    code, title = "purchase-stage-refused", "项目现在的阶段不能这样操作"


async def put_service(
    session: AsyncSession,
    caller: Caller,
    *,
    division: str,
    code: str,
    body: ServicePut,
    expected: int | None,
) -> Any:
    """Write a service of the guiding list.

    Raises:
        WrongDivision: outside the caller's division.
        StaleVersion: somebody else changed it since it was read.
        PurchaseInvalid: the days do not make sense.
        ServiceTaken: at commit, when somebody else made it meanwhile.
    """
    caller.ensure_covers(division)
    if body.valid_until is not None and body.valid_until < body.valid_from:
        _refuse([Violation("/valid_until", "period-empty", "截止早于开始", "更正日期")])
    known = await repository.lock_service(session, division, code)
    if (known.version if known else None) != expected:
        raise StaleVersion
    await repository.put_service(
        session,
        id=known.id if known else new_id(),
        division_code=division,
        code=code,
        version=(expected or 0) + 1,
        changed_by=str(caller.account_id),
        changed_at=now(),
        **body.model_dump(),
    )
    return await repository.lock_service(session, division, code)


async def list_services(
    session: AsyncSession, *, division: str, on: date | None, after: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """The guiding lists that hold for a division on a day."""
    rows = await repository.list_services(
        session, division=division, on=on or _today(), after=id_cursor(after), limit=limit + 1
    )
    page, more = cut(list(rows), limit)
    return page, encode_cursor(page[-1].id) if more else None


async def initiate(session: AsyncSession, caller: Caller, body: ProjectCreate) -> Any:
    """立项: start a project for a service of the guiding list.

    Raises:
        WrongRole, WrongDivision, WrongDepartment: it is not the caller's to buy.
        ServiceNotFound: the guiding list has no such service there and on that day.
        PurchaseInvalid: everything that is wrong.
    """
    ensure_speaks_for(caller, body.division_code, body.department)
    bought = await repository.find_service(session, body.service_id)
    if bought is None or bought.division_code not in division_chain(body.division_code):
        raise ServiceNotFound
    found = rules.violations(
        Stage.initiated,
        {},
        happened_on=body.happened_on,
        last_on=bought.valid_from,
        today=_today(),
        budget_cents=None,
    )
    if bought.valid_until is not None and bought.valid_until < body.happened_on:
        found.append(
            Violation("/service_id", "service-over", "这项服务已不在目录里", "选目录里的服务")
        )
    if division_level(body.division_code) not in ("county", "township"):
        found.append(
            Violation("/division_code", "not-a-buyer", "由县级或乡级购买", "填写县级或乡级区划")
        )
    _refuse(found)
    at, project_id = now(), new_id()
    await repository.add_project(
        session,
        id=project_id,
        service_id=body.service_id,
        division_code=body.division_code,
        department=body.department,
        name=body.name,
        stage=Stage.initiated,
        version=1,
        created_at=at,
        changed_at=at,
    )
    await _record(session, caller, project_id, Stage.initiated, body)
    return await repository.find_project(session, project_id)


async def reach(
    session: AsyncSession,
    caller: Caller,
    project_id: UUID,
    *,
    stage: Stage,
    expected: int,
    body: StageReach,
) -> Any:
    """Bring a project to its next stage, or cancel it.

    Raises:
        ProjectNotFound, WrongRole, WrongDivision, WrongDepartment, StaleVersion: as ever.
        StageRefused: the project cannot go there from where it is.
        PurchaseInvalid: everything that is wrong with what the stage brings.

    Concurrency: locks the project.
    """
    row = await repository.lock_project(session, project_id)
    if row is None:
        raise ProjectNotFound
    step = rules.STEPS.get(stage)
    if step is not None and step.county:
        if not caller.has(ADMITTER):
            raise WrongRole
        caller.ensure_covers(row.division_code)
    else:
        ensure_speaks_for(caller, row.division_code, row.department)
    if row.version != expected:
        raise StaleVersion
    if not rules.may_reach(Stage(row.stage), stage):
        raise StageRefused
    figures = {name: getattr(body, name) for name in rules.FIGURES}
    steps = await repository.list_steps(session, row.id)
    _refuse(
        rules.violations(
            stage,
            figures,
            happened_on=body.happened_on,
            last_on=max(each.happened_on for each in steps),
            today=_today(),
            budget_cents=row.budget_cents,
        )
    )
    brought = {name: value for name, value in figures.items() if value is not None}
    await repository.change_project(
        session, row.id, changed_at=now(), stage=stage, version=row.version + 1, **brought
    )
    await _record(session, caller, row.id, stage, body)
    return await repository.find_project(session, row.id)


async def whole(session: AsyncSession, row: Any) -> dict[str, Any]:
    """A project with its stages, as `ProjectRead` describes it."""
    steps = await repository.list_steps(session, row.id)
    return {**row._asdict(), "steps": [each._asdict() for each in steps]}


async def get(session: AsyncSession, caller: Caller | None, project_id: UUID) -> dict[str, Any]:
    """A project with its stages.

    Raises:
        ProjectNotFound: there is none, or it was never announced and the caller is not staff.
    """
    row = await repository.find_project(session, project_id)
    if row is None:
        raise ProjectNotFound
    read = await whole(session, row)
    announced = any(step["stage"] == Stage.announced for step in read["steps"])
    if not announced and not _is_staff(caller, row.division_code):
        raise ProjectNotFound
    return read


async def list_projects(
    session: AsyncSession,
    caller: Caller | None,
    *,
    division: str,
    stage: Stage | None,
    after: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """Projects of a division; those never announced are for its staff."""
    rows = await repository.list_projects(
        session,
        within=division,
        public=not _is_staff(caller, division),
        stage=stage,
        after=id_cursor(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    return page, encode_cursor(page[-1].id) if more else None


def _is_staff(caller: Caller | None, division: str) -> bool:
    return caller is not None and caller.has(*READERS) and caller.covers(division)


async def _record(
    session: AsyncSession, caller: Caller, project_id: UUID, stage: Stage, body: StageBase
) -> None:
    await repository.add_step(
        session,
        project_id=project_id,
        stage=stage,
        happened_on=body.happened_on,
        documents=[each.model_dump(mode="json") for each in body.documents],
        words=body.words,
        actor=str(caller.account_id),
        actor_name=caller.name,
        recorded_at=now(),
    )


def _refuse(found: list[Violation]) -> None:
    if found:
        raise PurchaseInvalid(errors=[each.as_error() for each in found])


def _today() -> date:
    return now().astimezone(CHINA).date()
