"""Settings of the facilities service."""

from servicekit.settings import ServiceSettings, prefixed


class FacilitiesSettings(ServiceSettings):
    model_config = prefixed("FACILITIES")

    http_port: int = 8030
    metrics_port: int = 9030
    worker_metrics_port: int = 9031
    #: Where pictures lie: `file:///…` or `s3://bucket/prefix`; without one there are no pictures.
    files_url: str = ""
