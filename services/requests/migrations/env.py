"""Alembic environment of the requests service."""

from servicekit.migrations import run
from services.requests.models import Base

run(Base.metadata)
