"""Identifiers: UUIDv7 made in Python, so that events can be built before anything is written."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a time-ordered UUID (RFC 9562 version 7)."""
    return uuid7()
