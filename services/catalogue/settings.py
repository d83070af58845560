"""Settings of the catalogue service."""

from servicekit.settings import ServiceSettings, prefixed


class CatalogueSettings(ServiceSettings):
    model_config = prefixed("CATALOGUE")
