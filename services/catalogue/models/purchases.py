"""Purchases (政府购买服务): the guiding list and the projects bought by it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from services.catalogue.models.base import Base, jsonb, one_of, written_at


class Stage(StrEnum):
    """立项, 预算, 发布, 管理, 绩效评估."""

    initiated = "initiated"
    budgeted = "budgeted"
    announced = "announced"
    managed = "managed"
    evaluated = "evaluated"
    cancelled = "cancelled"


class PurchaseService(Base, table=True):
    """指导性目录: a service that may be bought for villages."""

    __tablename__ = "purchase_service"
    __table_args__ = (UniqueConstraint("division_code", "code"),)

    id: UUID = Field(primary_key=True)
    division_code: str
    code: str
    name: str
    supply_category: str
    description: str
    #: What the villages that were asked say of it.
    village_opinion: str
    document: str
    valid_from: date
    valid_until: date | None = None
    version: int
    changed_by: str
    changed_at: datetime = written_at()


class PurchaseProject(Base, table=True):
    """One project, at the stage it has reached."""

    __tablename__ = "purchase_project"
    __table_args__ = (CheckConstraint(one_of("stage", Stage), name="stage"),)

    id: UUID = Field(primary_key=True)
    service_id: UUID = Field(foreign_key="purchase_service.id", index=True)
    division_code: str = Field(index=True)
    department: str
    name: str
    stage: str
    version: int
    budget_cents: int | None = Field(default=None, sa_type=BigInteger)
    contract_cents: int | None = Field(default=None, sa_type=BigInteger)
    supplier: str | None = None
    #: 绩效评估得分, 0 to 100.
    evaluation_points: int | None = None
    created_at: datetime = written_at()
    changed_at: datetime = written_at()


class PurchaseStep(Base, table=True):
    """A stage a project reached: on which day, by which documents; append-only."""

    __tablename__ = "purchase_step"
    __table_args__ = (CheckConstraint(one_of("stage", Stage), name="stage"),)

    project_id: UUID = Field(primary_key=True, foreign_key="purchase_project.id")
    stage: str = Field(primary_key=True)
    happened_on: date
    #: Each with name, number and, where it is public, an address.
    documents: list[dict[str, Any]] = jsonb()
    words: str
    actor: str
    actor_name: str | None = None
    recorded_at: datetime = written_at()
