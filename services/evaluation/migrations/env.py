"""Alembic environment of the evaluation service."""

from servicekit.migrations import run
from services.evaluation.models import Base

run(Base.metadata)
