"""Alembic environment of the sample service."""

from servicekit.migrations import run
from tests.servicekit.sample.models import Base

run(Base.metadata)
