"""Documents as the API shows them."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class DocumentRead(BaseModel):
    """一份通知书；申请人姓名对工作人员按规定遮盖。"""

    id: UUID
    kind: str
    title: str
    number: str
    issuer: str
    issued_on: date
    paragraphs: list[str]


class DocumentPrint(BaseModel):
    """打印文书：窗口打印的文书有申请人全名，须说明理由，本人可以查到。"""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=4, max_length=200)
