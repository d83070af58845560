"""Settings of the sample service."""

from servicekit.settings import ServiceSettings, prefixed


class SampleSettings(ServiceSettings):
    model_config = prefixed("SAMPLE")
