"""What villages may be handed: the local copy of the catalogue's admissions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from services.requests.models.base import Base, timestamp


class ItemAdmission(Base, table=True):
    """准入 of an item to the villages of a county: the newest state of each admission."""

    __tablename__ = "item_admission"
    __table_args__ = (CheckConstraint("state IN ('admitted', 'expired', 'ended')", name="state"),)

    admission_id: UUID = Field(primary_key=True)
    version: int
    item_code: str
    division_code: str
    approval_number: str
    valid_from: date
    valid_until: date
    state: str
    recorded_at: datetime = timestamp()
