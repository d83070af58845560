"""Local copy of the catalogue's items, kept by its events: what evaluation names and filters by."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from services.evaluation.models.base import Base, one_of, timestamp


class ItemCopy(Base, table=True):
    """事项 as the catalogue last told it; a retired one stays, so that its score keeps a name."""

    __tablename__ = "item_copy"
    __table_args__ = (
        one_of("status", ("published", "paused", "retired")),
        Index(
            "ix_item_copy_division",
            "division_code",
            postgresql_ops={"division_code": "text_pattern_ops"},
        ),
    )

    item_id: UUID = Field(primary_key=True)
    item_code: str
    name: str
    item_kind: str
    supply_category: str
    #: The version in force.
    version: int
    department: str
    #: The subtree in which it is offered.
    division_code: str
    status: str
    #: Revision of the catalogue; 0 in states told before there were any.
    revision: int = Field(sa_type=BigInteger)
    recorded_at: datetime = timestamp()
