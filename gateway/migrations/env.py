"""Alembic environment of the gateway."""

from gateway.models import Base
from servicekit.migrations import run

run(Base.metadata)
