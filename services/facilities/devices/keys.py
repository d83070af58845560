"""How a device proves itself: a key of its own in a header, as it cannot sign in."""

from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader

from services.facilities.devices.service import DeviceKeyUnknown

HEADER = "X-Device-Key"
#: Of what `rules.new_key` makes; anything longer is not hashed.
MAX_LENGTH = 128
_header = APIKeyHeader(name=HEADER, auto_error=False, description="登记设备时给出的密钥")


async def _device_key(key: Annotated[str | None, Security(_header)]) -> str:
    if not key or len(key) > MAX_LENGTH:
        raise DeviceKeyUnknown
    return key


DeviceKey = Annotated[str, Security(_device_key)]
