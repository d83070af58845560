"""Rating without signing in: what is sent, and what is shown."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.values import CaseNumber, MobileNumber, UnitCode
from services.evaluation.attachments import AttachmentWrite
from services.evaluation.invitations.drawing import QrFormat
from services.evaluation.models import DeviceKind, RatingChannel
from services.evaluation.ratings.schemas import RatingContent

Token = Annotated[str, StringConstraints(min_length=16, max_length=128)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=16)]
ServiceNo = Annotated[int, Field(ge=1, le=5, description="1 咨询 2 申报 3 补正 4 缴费 5 办结")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
WindowCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,16}$")]
MOST_ROWS = 100


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InvitationCreate(_Body):
    """评价邀请, made by who serves the resident."""

    case_number: CaseNumber
    service_number: ServiceNo = 5
    channel: Literal[RatingChannel.qr_code, RatingChannel.sms] = RatingChannel.qr_code
    device_id: UUID | None = Field(
        default=None, description="推送到这台评价器或自助终端；此时渠道随设备"
    )


class InvitationRead(BaseModel):
    """An invitation. The token works once; whoever holds it may rate."""

    token: str
    link: str
    code: str = Field(description="查询码，与办件编号一起使用")
    sms_text: str
    channel: RatingChannel
    expires_on: date


class QrPrint(_Body):
    """Which invitation to draw, and how."""

    token: Token
    format: QrFormat = QrFormat.svg


class Proof(_Body):
    """Either the token, or case number, service and look-up code."""

    token: Token | None = None
    case_number: CaseNumber | None = None
    service_number: ServiceNo = 5
    code: Code | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Proof":
        by_code = self.case_number is not None and self.code is not None
        if by_code == (self.token is not None):
            raise ValueError("请提供评价凭证，或办件编号和查询码")
        return self


class OpenRatingCreate(RatingContent):
    """A rating by somebody who holds a proof."""

    proof: Proof
    channel: Literal[
        RatingChannel.portal, RatingChannel.mini_program, RatingChannel.self_service_terminal
    ] = Field(default=RatingChannel.portal, description="凭查询码评价时的渠道；凭证自带渠道")


class Opened(BaseModel):
    """What a proof opens. Nothing of whose it is, nor of whether it was rated."""

    item_name: str
    service_name: str
    unit_name: str | None
    open_until: date


class DeviceCreate(_Body):
    """评价器或自助终端."""

    kind: DeviceKind
    name: Name
    unit_code: UnitCode
    window_code: WindowCode | None = None
    facility_id: UUID | None = None


class DeviceRead(BaseModel):
    """A registered device."""

    id: UUID
    kind: DeviceKind
    name: str
    unit_code: str
    window_code: str | None
    facility_id: UUID | None
    is_retired: bool
    registered_at: datetime


class DeviceWithToken(DeviceRead):
    """A device with its token, shown this once."""

    token: str


class Prompt(BaseModel):
    """What a device shall show now."""

    token: str
    opened: Opened


class AssistedRating(RatingContent):
    """A rating told on the telephone, typed in by somebody who is not of the rated unit."""

    case_number: CaseNumber
    service_number: ServiceNo = 5
    phone: MobileNumber | None = Field(default=None, description="来电号码，只留不可还原的摘要")
    call_reference: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=4, max_length=64)
    ] = Field(description="录音或工单编号")


class PaperRow(RatingContent):
    """One form of a batch."""

    case_number: CaseNumber
    service_number: ServiceNo = 5


class BatchCreate(_Body):
    """书面评价表, with the scan they were typed in from."""

    scan: AttachmentWrite
    rows: Annotated[list[PaperRow], Field(min_length=1, max_length=MOST_ROWS)]


class RowOutcome(BaseModel):
    """What became of one form; which rating it is, is not told."""

    row: int
    taken: bool
    code: str | None = None
    title: str | None = None


class BatchRead(BaseModel):
    """What became of a batch."""

    id: UUID
    taken: int
    rows: list[RowOutcome]


class AssistedReceipt(BaseModel):
    """That a rating was taken; which one, staff do not learn."""

    taken: Literal[True] = True
    case_number: str
    service_number: int
