"""What the commands and tests know of the exchange service."""

from contracts.topics import EXCHANGE
from servicekit.process import Service
from services.exchange.app import create_app
from services.exchange.settings import ExchangeSettings
from services.exchange.worker import create_worker

SERVICE = Service(
    name="exchange",
    title="交换与通知: notices to residents.",
    settings=ExchangeSettings,
    create_app=create_app,
    migrations="services.exchange.migrations",
    create_worker=create_worker,
    publishes=[EXCHANGE],
)
