"""What the commands and tests know of the sample service."""

from servicekit.process import Service
from tests.servicekit.sample.app import create_app
from tests.servicekit.sample.settings import SampleSettings

SERVICE = Service(
    name="sample",
    title="样例",
    settings=SampleSettings,
    create_app=create_app,
    migrations="tests.servicekit.sample.migrations",
)
