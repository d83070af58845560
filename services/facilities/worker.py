"""The worker of facilities: relays what the API and the seed recorded; it consumes nothing yet."""

from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts


def create_worker(_: ServiceSettings) -> WorkerParts:
    """Put the worker together."""
    return WorkerParts()
