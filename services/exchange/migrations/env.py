"""Alembic environment of the exchange service."""

from servicekit.migrations import run
from services.exchange.models import Base

run(Base.metadata)
