"""Settings of the requests service."""

from datetime import time

from pydantic import Field

from servicekit.settings import ServiceSettings, prefixed


class RequestsSettings(ServiceSettings):
    model_config = prefixed("REQUESTS")

    http_port: int = 8020
    metrics_port: int = 9020
    worker_metrics_port: int = 9021
    #: After this local time a submission counts as received on the next working day. Provisional:
    #: counties publish their own window hours.
    office_closes_at: time = time(17, 30)
    #: 补正 must be answered within this many working days. Provisional, set by the county.
    correction_days: int = 10
    #: A draft nobody touches is forgotten after so many days.
    draft_days: int = Field(default=30, ge=1, le=365)
    #: A case is archived this many days after its end. Provisional, set by the county.
    archive_days: int = 30
    #: Connections of the pool that the group write uses.
    intake_connections: int = 3
