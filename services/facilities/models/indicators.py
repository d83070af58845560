"""Indicators: what is summed of the communities below each division, and months gone by."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Date, ForeignKey, Index, Numeric, String, Table, text
from sqlmodel import Field

from services.facilities.models.base import Base, jsonb, timestamp

#: What is summed up the tree; `services.facilities.indicators.measures` says how each is measured.
MEASURES = (
    "communities",
    "villages",
    "urban_communities",
    "covered_villages",
    "covered_urban",
    "resettlements",
    "covered_resettlements",
    "resettlement_unknown",
    "households",
    "centre_area",
    "centre_area_unknown",
    "floor_area",
    "served_area",
    "floor_area_unknown",
    "measured_area",
    "activity_area",
    "activity_unknown",
    "terminal_urban",
    "worker_residents",
    "workers",
    "workers_unknown",
    "certified_base",
    "certified",
    "certified_unknown",
    "urban_organisations",
    "urban_organisations_counted",
    "urban_organisations_unknown",
    "village_organisations",
    "village_organisations_counted",
    "village_organisations_unknown",
    "timed_centres",
    "full_hours_centres",
    "hours_unknown",
    "agent_communities",
    "large_centre_villages",
    "large_centre_unknown",
    "large_square_villages",
    "large_square_unknown",
    "large_centre_urban",
    "large_urban_unknown",
    "cooperative_villages",
    "townships",
    "cooperative_townships",
    "deliberation_villages",
    "deliberation_counted",
    "deliberation_unknown",
    "listed_communities",
    "lists_counted",
    "lists_unknown",
    "secured_communities",
    "security_counted",
    "security_unknown",
    "unified_villages",
    "forms_counted",
    "forms_unknown",
    "online_communities",
    "online_counted",
    "online_unknown",
    "surveyed_communities",
)

_THIS_MONTH = text("CAST(date_trunc('month', timezone('Asia/Shanghai', now())) AS date)")
#: One row per division, communities included. Numeric: adding and taking away leaves no trace.
#: `since`: the month, by its first day, in which a row took these values.
INDICATOR_SUM = Table(
    "indicator_sum",
    Base.metadata,
    Column("code", String, ForeignKey("division.code"), primary_key=True),
    Column("since", Date, nullable=False, server_default=_THIS_MONTH),
    *(
        Column(name, Numeric(18, 2, asdecimal=False), nullable=False, server_default=text("0"))
        for name in MEASURES
    ),
)


#: What a community's row was at the ends of the months `since` to `until`, once it was changed.
#: A measure that was added later is unknown then, not zero.
INDICATOR_PAST = Table(
    "indicator_past",
    Base.metadata,
    Column("code", String, ForeignKey("division.code"), primary_key=True),
    Column("until", Date, primary_key=True),
    Column("since", Date, nullable=False),
    *(Column(name, Numeric(18, 2, asdecimal=False)) for name in MEASURES),
)


class Indicator(Base, table=True):
    """What an indicator is: loaded from data/facilities/indicators.yaml."""

    __tablename__ = "indicator"

    code: str = Field(primary_key=True)
    position: int
    definition: dict[str, Any] = jsonb()


class IndicatorMonth(Base, table=True):
    """An indicator of a division as it stood at the end of a month, or stands in this one."""

    __tablename__ = "indicator_month"
    __table_args__ = (
        Index("ix_indicator_month_division_code", "division_code", "indicator_code", "month"),
    )

    month: date = Field(primary_key=True)
    division_code: str = Field(primary_key=True, foreign_key="division.code")
    indicator_code: str = Field(primary_key=True)
    numerator: float
    denominator: float
    value: float | None = None
    missing: int
    revision: int = 1
    recorded_at: datetime = timestamp()


class UnmetNeed(Base, table=True):
    """What residents of a division asked for in a month and did not find, as evaluation told."""

    __tablename__ = "unmet_need"

    list_division_code: str = Field(primary_key=True)
    month: date = Field(primary_key=True)
    position: int = Field(primary_key=True)
    list_id: UUID
    division_code: str = Field(index=True)
    topic: str
    kind: str | None = None
    searches: int
    wishes: int
    refusals: int
    told_at: datetime = timestamp()
