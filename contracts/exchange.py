"""Events of exchange: what crossed the border."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Event
from contracts.topics import EXCHANGE


class NoticeDelivered(Event):
    """通知送达: a notice reached a channel of its receiver."""

    event_type: ClassVar[str] = "cn.yichuang.exchange.notice-delivered.v1"
    topic: ClassVar[str] = EXCHANGE
    key_field: ClassVar[str] = "receiver_id"

    notice_id: UUID
    receiver_id: UUID
    template: str
    channel: Literal["in-app"]
    occurred_at: datetime
