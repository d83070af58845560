"""Pictures as the API shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

#: A picture of a telephone after its app made it smaller. Ours.
MAX_BYTES = 5 * 1024 * 1024
MAX_PHOTOS = 12
ContentType = Literal["image/jpeg", "image/png", "image/webp"]


class PhotoRead(BaseModel):
    """What is known of a picture without opening it."""

    id: UUID
    content_type: ContentType
    size_bytes: int
    sha256: str
    caption: str
    url: str = Field(description="照片本身的地址")
    recorded_at: datetime


class PhotoList(BaseModel):
    """The pictures of a facility."""

    items: list[PhotoRead]
