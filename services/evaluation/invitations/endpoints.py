"""不登录评价: 邀请、凭证和查询码、评价器、电话和书面评价."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.errors import ServiceError, problem_response
from servicekit.idempotency import Session, UnkeyedSession
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.access import HANDLER, SUPERVISOR, VILLAGE_AGENT, WINDOW_CLERK, Staff
from services.evaluation.dependencies import DataCipher, Policy
from services.evaluation.fingerprints import Device
from services.evaluation.invitations import assisted, devices, issuing, service
from services.evaluation.invitations.schemas import (
    AssistedRating,
    AssistedReceipt,
    BatchCreate,
    BatchRead,
    DeviceCreate,
    DeviceRead,
    DeviceWithToken,
    InvitationCreate,
    InvitationRead,
    Opened,
    OpenRatingCreate,
    Prompt,
    Proof,
    QrPrint,
)
from services.evaluation.ratings.schemas import RatingReceipt

router = create_router("invitations")
#: Who serves residents face to face.
Serving = Annotated[Caller, Depends(require(HANDLER, WINDOW_CLERK))]
#: Who may type in what somebody else says; never of the rated unit.
Entering = Annotated[Caller, Depends(require(SUPERVISOR, WINDOW_CLERK, VILLAGE_AGENT))]
Supervisor = Annotated[Caller, Depends(require(SUPERVISOR))]
DeviceToken = Annotated[
    str, Header(alias="X-Device-Token", min_length=16, max_length=128, description="设备凭证")
]


@router.post("/invitations", status_code=201)
async def issue_invitation(
    body: InvitationCreate,
    caller: Serving,
    session: UnkeyedSession,
    cipher: DataCipher,
    settings: Policy,
) -> InvitationRead:
    """办完一个环节后邀请评价：一次性凭证、链接、短信文本和查询码；可推送到评价器。"""
    return await issuing.issue(session, body, caller=caller, cipher=cipher, settings=settings)


@router.post(
    "/invitations/qr",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}, "image/png": {}, "application/pdf": {}}}},
)
async def draw_invitation(
    body: QrPrint, caller: Staff, session: UnkeyedSession, cipher: DataCipher, settings: Policy
) -> Response:
    """一个评价凭证的二维码：SVG、PNG，或可打印的 PDF 小票。"""
    drawn = await issuing.draw(
        session, body.token, body.format, caller=caller, cipher=cipher, settings=settings
    )
    return Response(drawn, media_type=body.format.media_type)


@router.post("/open-ratings/look-up")
async def look_up(
    body: Proof, request: Request, session: UnkeyedSession, cipher: DataCipher
) -> Opened:
    """凭评价凭证，或办件编号和查询码，看可以评价什么；不显示是谁的办件。"""
    outcome = await service.look_up(session, body, cipher=cipher)
    return _settled(outcome, request)  # type: ignore[return-value]


@router.post("/open-ratings", status_code=201)
async def rate_by_proof(
    body: OpenRatingCreate,
    request: Request,
    session: UnkeyedSession,
    cipher: DataCipher,
    settings: Policy,
    device: Device = None,
) -> RatingReceipt:
    """凭评价凭证，或办件编号和查询码评价；凭证只能用一次。"""
    outcome = await service.rate(session, body, device=device, cipher=cipher, settings=settings)
    return _settled(outcome, request)  # type: ignore[return-value]


@router.post("/rating-devices", status_code=201)
async def register_device(
    body: DeviceCreate, caller: Supervisor, session: UnkeyedSession, cipher: DataCipher
) -> DeviceWithToken:
    """登记一台评价器或自助终端；设备凭证只显示这一次。"""
    return await devices.register(session, body, caller=caller, cipher=cipher)


@router.get("/rating-devices")
async def list_devices(
    caller: Staff, session: ReadSession, after: After = None, limit: Limit = DEFAULT_LIMIT
) -> Page[DeviceRead]:
    """本单位（督办人员：本区域）的评价器和自助终端。"""
    return await devices.list_devices(session, caller=caller, after=after, limit=limit)


@router.post("/rating-devices/{device_id}/token")
async def renew_device_token(
    device_id: UUID, caller: Supervisor, session: UnkeyedSession, cipher: DataCipher
) -> DeviceWithToken:
    """更换设备凭证，旧的立即失效。"""
    return await devices.renew(session, device_id, caller=caller, cipher=cipher)


@router.delete("/rating-devices/{device_id}")
async def retire_device(device_id: UUID, caller: Supervisor, session: Session) -> DeviceRead:
    """停用一台设备。"""
    return await devices.retire(session, device_id, caller=caller)


@router.get("/rating-devices/prompt")
async def read_prompt(
    token: DeviceToken, session: ReadSession, cipher: DataCipher
) -> Prompt | None:
    """设备轮询：现在请居民评价什么；推送后 15 分钟内有效。"""
    return await devices.prompt(session, token, cipher=cipher)


@router.post("/assisted-ratings", status_code=201)
async def take_call(
    body: AssistedRating, caller: Entering, session: Session, cipher: DataCipher, settings: Policy
) -> AssistedReceipt:
    """电话评价的录入；不能由被评价的单位录入。"""
    return await assisted.take_call(session, body, caller=caller, cipher=cipher, settings=settings)


@router.post("/rating-batches", status_code=201)
async def take_batch(
    body: BatchCreate, caller: Entering, session: Session, cipher: DataCipher, settings: Policy
) -> BatchRead:
    """书面评价表批量录入，附扫描件；逐份接收或说明为何不收。"""
    return await assisted.take_batch(session, body, caller=caller, cipher=cipher, settings=settings)


def _settled(outcome: object, request: Request) -> object:
    """A refusal is answered, not raised: raising would take back the counted attempt."""
    if isinstance(outcome, ServiceError):
        return problem_response(outcome, str(request.scope.get("request_id", "")))
    return outcome
