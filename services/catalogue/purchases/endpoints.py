"""Endpoints of purchases."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, MaybeCaller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, MaybeExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.catalogue.admissions.checks import ADMITTER
from services.catalogue.bundles.content import Slug
from services.catalogue.departments import SPEAKERS
from services.catalogue.models import Stage
from services.catalogue.purchases import service
from services.catalogue.purchases.schemas import (
    NextStage,
    ProjectCreate,
    ProjectHead,
    ProjectRead,
    ServicePut,
    ServiceRead,
    StageReach,
)

router = create_router("purchases")

Admitter = Annotated[Caller, Depends(require(ADMITTER))]
Buyer = Annotated[Caller, Depends(require(*SPEAKERS))]
Acting = Annotated[Caller, Depends(require(ADMITTER, *SPEAKERS))]
Division = Annotated[DivisionCode, Query(description="所在区划")]


@router.get("/purchase-services")
async def list_services(
    division: Division,
    session: ReadSession,
    on: Annotated[date | None, Query(description="哪一天，默认今天")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ServiceRead]:
    """政府购买服务指导性目录里当地适用的服务。"""
    rows, following = await service.list_services(
        session, division=division, on=on, after=after, limit=limit
    )
    return Page(items=[ServiceRead.model_validate(row) for row in rows], next=following)


@router.put("/purchase-services/{division}/{code}", response_model=ServiceRead)
async def put_service(
    division: Annotated[DivisionCode, Path(description="目录所属区划")],
    code: Annotated[Slug, Path(description="服务编码")],
    body: ServicePut,
    caller: Admitter,
    expected: MaybeExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """列入或者修改目录里的服务；要写明村级组织的意见。"""
    row = await service.put_service(
        session, caller, division=division, code=code, body=body, expected=expected
    )
    set_etag(response, row.version)
    return row


@router.post("/purchases", status_code=201, response_model=ProjectRead)
async def initiate(body: ProjectCreate, caller: Buyer, session: Session, response: Response) -> Any:
    """购买项目立项。"""
    row = await service.initiate(session, caller, body)
    response.headers["Location"] = f"/v1/purchases/{row.id}"
    set_etag(response, row.version)
    return await service.whole(session, row)


@router.post("/purchases/{project_id}/stages/{stage}", response_model=ProjectRead)
async def reach(
    project_id: UUID,
    stage: NextStage,
    body: StageReach,
    caller: Acting,
    expected: ExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """预算、发布、管理、绩效评估，或者终止；绩效由县里评，不由购买部门自己评。"""
    row = await service.reach(
        session, caller, project_id, stage=Stage(stage), expected=expected, body=body
    )
    set_etag(response, row.version)
    return await service.whole(session, row)


@router.get("/purchases")
async def list_projects(
    division: Division,
    caller: MaybeCaller,
    session: ReadSession,
    stage: Annotated[Stage | None, Query(description="阶段")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ProjectHead]:
    """购买项目；公众看到已发布过的。"""
    rows, following = await service.list_projects(
        session, caller, division=division, stage=stage, after=after, limit=limit
    )
    return Page(items=[ProjectHead.model_validate(row) for row in rows], next=following)


@router.get("/purchases/{project_id}", response_model=ProjectRead)
async def read_project(
    project_id: UUID, caller: MaybeCaller, session: ReadSession, response: Response
) -> Any:
    """一个项目从立项到绩效评估的各个阶段和文件。"""
    read = await service.get(session, caller, project_id)
    set_etag(response, read["version"])
    response.headers["Vary"] = "Authorization"
    return read
