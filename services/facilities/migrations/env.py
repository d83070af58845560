"""Alembic environment of the facilities service."""

from servicekit.migrations import run
from services.facilities.models import Base

run(Base.metadata)
