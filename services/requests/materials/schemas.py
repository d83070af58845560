"""Files and materials as the API takes and shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class UploadCreate(BaseModel):
    """要上传的一个文件。"""

    model_config = ConfigDict(extra="forbid")

    file_name: str = Field(min_length=1, max_length=200)
    size_bytes: int = Field(ge=1)


class UploadLink(BaseModel):
    """往哪里传、什么时候以前传完。按 tus 1.0 分段 PATCH，断了从 HEAD 给出的位置接着传。"""

    id: UUID
    url: str = Field(description="已签名的地址，不用登录")
    expires_at: datetime
    size_bytes: int
    part_bytes: int = Field(description="建议每次传这么多；网络差时可以更小")


class UploadRead(BaseModel):
    """上传到了哪里，结果如何。"""

    id: UUID
    state: str
    scan: str
    size_bytes: int
    received_bytes: int
    media_type: str | None
    sha256: str | None
    expires_at: datetime | None


class MaterialFile(BaseModel):
    """办件材料中的一个文件。"""

    id: UUID
    code: str
    version: int
    position: int
    file_name: str | None
    media_type: str | None
    size_bytes: int
    sha256: str | None
    scan: str
    origin: str
    added_at: datetime
    destroyed: bool


class MaterialFiles(BaseModel):
    items: list[MaterialFile]


class OwnMaterial(MaterialFile):
    """以前交过、可以沿用的一个文件。"""

    item_name: str
    case_number: str


class LinkCreate(BaseModel):
    """打开一个文件；工作人员须说明理由，本人可以看到。"""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, min_length=4, max_length=200)


class FileLink(BaseModel):
    """几分钟内有效的地址，不用登录就能打开，请勿转发。"""

    url: str
    expires_at: datetime
