"""Alembic environment of the catalogue service."""

from servicekit.migrations import run
from services.catalogue.models import Base

run(Base.metadata)
