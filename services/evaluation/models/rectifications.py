"""差评整改: what is done about a bad rating, step by step."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, Computed, Date, Index, text
from sqlmodel import Field

from services.evaluation.models.base import Base, flag, number, one_of, timestamp


class RectificationState(StrEnum):
    """Where a rectification stands."""

    opened = "opened"  # 待核实
    verified = "verified"  # 已核实
    in_progress = "in-progress"  # 整改中
    replied = "replied"  # 已反馈，待回访
    reopened = "reopened"  # 重新整改
    closed = "closed"  # 已销号


class Branch(StrEnum):
    """The three ways after 核实."""

    fix_now = "fix-now"  # 立行立改
    fix_by_date = "fix-by-date"  # 限期整改
    explain = "explain"  # 解释说明


class Outcome(StrEnum):
    """How a rectification ended."""

    solved = "solved"  # 回访确认解决
    unreached = "unreached"  # 多次联系不上
    withdrawn = "withdrawn"  # 评价人撤回或改正了差评
    excluded = "excluded"  # 经复核不计入


class Rectification(Base, table=True):
    """One per evaluable service; a second bad rating reopens it."""

    __tablename__ = "rectification"
    __table_args__ = (
        one_of("state", RectificationState),
        one_of("branch", Branch),
        one_of("outcome", Outcome),
        Index(
            "ix_rectification_unit",
            "unit_code",
            "due_key",
            "id",
            postgresql_where=text("state <> 'closed'"),
        ),
        Index(
            "ix_rectification_division",
            "responsible_division",
            "due_key",
            "id",
            postgresql_where=text("state <> 'closed'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    evaluable_id: UUID = Field(foreign_key="evaluable.id", unique=True)
    #: The bad rating that opened it.
    rating_id: UUID = Field(foreign_key="rating.id")
    unit_code: str | None = None
    unit_name: str | None = None
    responsible_division: str
    state: str
    version: int
    opened_at: datetime = timestamp()
    #: The limit runs `limit_days` working days after this day.
    limit_from: date
    limit_days: int
    #: Null while the working-day calendar of the year is missing.
    due_on: date | None = None
    #: What the work list is sorted by; unknown dates last.
    due_key: date | None = Field(
        default=None,
        sa_column=Column(
            Date, Computed("coalesce(due_on, DATE '9999-12-31')", persisted=True), nullable=False
        ),
    )
    branch: str | None = None
    fix_by: date | None = None
    reply: str | None = None
    replied_at: datetime | None = timestamp(nullable=True)
    replied_by: UUID | None = None
    #: 追评 stays possible up to this day, whatever the supplement period was.
    rerate_until: date | None = None
    #: Different days on which the resident was called in vain since the last reply.
    missed_call_days: int = number()
    last_missed_on: date | None = None
    times_reopened: int = number()
    solved: bool | None = None
    closed_at: datetime | None = timestamp(nullable=True)
    outcome: str | None = None
    #: From this day on the light is yellow.
    warn_on: date | None = None
    times_extended: int = number()
    #: Sent up to supervision when the limit passed without a reply.
    escalated_at: datetime | None = timestamp(nullable=True)
    #: First call-back that reached the resident, and the day by which it is due.
    called_back_at: datetime | None = timestamp(nullable=True)
    call_back_due_on: date | None = None
    #: A dispute of the rating waits for a ruling: the unit's limit does not run on.
    is_disputed: bool = flag()


class RectificationStep(Base, table=True):
    """What happened to a rectification: appended, never changed."""

    __tablename__ = "rectification_step"
    __table_args__ = (Index("uq_rectification_step", "rectification_id", "version", unique=True),)

    id: UUID = Field(primary_key=True)
    rectification_id: UUID = Field(foreign_key="rectification.id")
    #: The rectification's version after the step.
    version: int
    action: str
    from_state: str
    to_state: str
    #: Null when the resident's own rating did it.
    actor_id: UUID | None = None
    actor_name: str | None = None
    actor_unit: str | None = None
    #: Encrypted: it may name people.
    note: str | None = None
    happened_at: datetime = timestamp()
