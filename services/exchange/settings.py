"""Settings of the exchange service."""

from pathlib import Path

from servicekit.settings import ServiceSettings, prefixed


class ExchangeSettings(ServiceSettings):
    model_config = prefixed("EXCHANGE")

    http_port: int = 8050
    metrics_port: int = 9050
    worker_metrics_port: int = 9051
    #: Where the templates of notices are: notices/templates.yaml below it.
    data_directory: Path = Path("data")
