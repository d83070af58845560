"""Recounts of the scores: how far each has come, and what it put right."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from services.evaluation.models.base import Base, number, one_of, timestamp


class RecountState(StrEnum):
    """Whether a recount goes on."""

    waiting = "waiting"
    running = "running"
    finished = "finished"


class RecountPhase(StrEnum):
    """What is compared, in this order."""

    #: What is held of each service, with its ratings and rectifications.
    services = "services"
    #: The counts of days, with the services.
    days = "days"
    #: The counts of months, with the days; of years, with the months; of all time, with the years.
    months = "months"
    years = "years"
    totals = "totals"


class ScoreRecount(Base, table=True):
    """One recount; its position moves in the transaction of the batch that was compared."""

    __tablename__ = "score_recount"
    __table_args__ = (
        one_of("state", RecountState),
        one_of("phase", RecountPhase),
        # One at a time: two would compare the same again.
        Index(
            "uq_score_recount_open",
            text("(true)"),
            unique=True,
            postgresql_where=text("state <> 'finished'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    state: str = RecountState.waiting
    phase: str = RecountPhase.services
    #: Null when an operator asked for it at the command line.
    requested_by: UUID | None = None
    requested_at: datetime = timestamp()
    started_at: datetime | None = timestamp(nullable=True)
    finished_at: datetime | None = timestamp(nullable=True)
    #: The last service that was compared.
    service_after: UUID | None = None
    #: The last day of what was compared in this phase; null at its beginning.
    day_after: date | None = None
    #: The days on which something counts.
    first_day: date | None = None
    last_day: date | None = None
    #: Services compared, and corrected.
    services: int = Field(default=0, sa_type=BigInteger)
    services_corrected: int = Field(default=0, sa_type=BigInteger)
    #: Subjects of which some roll-up was corrected.
    subjects_corrected: int = number()


class ScoreRecountDifference(Base, table=True):
    """A subject of which a recount corrected some roll-up."""

    __tablename__ = "score_recount_difference"

    recount_id: UUID = Field(primary_key=True, foreign_key="score_recount.id")
    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
