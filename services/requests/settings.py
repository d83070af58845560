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
    #: Where files of materials lie: `file:///var/lib/files` (one machine) or `s3://bucket/prefix`,
    #: with the usual `AWS_…` variables. Empty: nothing can be uploaded.
    files_url: str = ""
    file_limit_bytes: int = Field(default=20 * 1024 * 1024, ge=1024)
    #: What nobody hands in is forgotten after so many hours.
    file_hours: int = Field(default=48, ge=1, le=720)
    #: The scan hook: a program that reads a file from its standard input (exit 0 clean, 1 infected),
    #: or an address that answers a POST of it with `{"infected": …}`. Neither: files are not scanned.
    scan_command: str = ""
    scan_url: str = ""
    #: A stream of progress ends after so long; the browser comes back by itself.
    progress_seconds: float = 240.0
    #: The record of who saw whose data is kept for so many months. Provisional.
    audit_months: int = 60
    #: Connections of the pool that the group write uses.
    intake_connections: int = 3
