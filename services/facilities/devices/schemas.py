"""Devices as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.facilities.facilities.schemas import Name

DeviceKind = Literal["self-service-terminal", "number-machine", "broadcast", "aed", "other"]
DeviceState = Literal["never-seen", "online", "offline", "retired"]
Paper = Literal["ok", "low", "out"]


class DeviceCreate(BaseModel):
    """一台设备。"""

    model_config = ConfigDict(extra="forbid")

    kind: DeviceKind = Field(description="self-service-terminal：政务自助服务一体机")
    name: Name
    serial_number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{2,63}$")]


class DeviceRead(BaseModel):
    """A device as anyone may see it."""

    id: UUID
    facility_id: UUID
    kind: DeviceKind
    name: str
    state: DeviceState
    paper: Paper | None = Field(description="纸张：充足、将尽、缺纸；null：不报告")
    fault: str | None
    last_seen_at: datetime | None


class DeviceEntry(DeviceRead):
    """A device as those who look after it see it."""

    serial_number: str
    facility_name: str
    division_code: str


class DeviceRegistered(DeviceRead):
    """A new device, or one with a new key; the key is shown this once."""

    serial_number: str
    key: str | None = Field(description="设备上报时使用；null：这类设备不上报")


class Heartbeat(BaseModel):
    """设备上报。"""

    model_config = ConfigDict(extra="forbid")

    paper: Paper | None = None
    fault: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None = None


class HeartbeatTaken(BaseModel):
    """The report was taken."""

    device_id: UUID
    state: DeviceState
    report_again_in_seconds: int


class DeviceStateRead(BaseModel):
    """When a device came, went or lacked something."""

    state: DeviceState
    paper: Paper | None
    fault: str | None
    happened_at: datetime
