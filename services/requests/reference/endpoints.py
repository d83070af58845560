"""How endpoints get at the reference data of their app."""

from fastapi import Request

from servicekit.refreshed import Refreshed
from services.requests.reference.service import Reference


def reference_of(request: Request) -> Reference:
    """The newest picture of items, divisions, units, rules and calendar."""
    held: Refreshed[Reference] = request.app.state.reference
    return held.value
