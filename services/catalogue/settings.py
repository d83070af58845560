"""Settings of the catalogue service."""

from servicekit.settings import ServiceSettings, prefixed


class CatalogueSettings(ServiceSettings):
    model_config = prefixed("CATALOGUE")

    #: How residents reach the gateway; printed in QR codes. Without it none is printed.
    public_url: str = ""
