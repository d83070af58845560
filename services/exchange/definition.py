"""What the commands and tests know of the exchange service."""

from contracts.topics import EXCHANGE
from servicekit.process import Service, late
from services.exchange.settings import ExchangeSettings

SERVICE = Service(
    name="exchange",
    title="交换与通知: notices to residents.",
    settings=ExchangeSettings,
    create_app=late("services.exchange.app", "create_app"),
    migrations="services.exchange.migrations",
    create_worker=late("services.exchange.worker", "create_worker"),
    publishes=[EXCHANGE],
)
