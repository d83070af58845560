"""The worker of exchange: tells residents what happened, relays that they were told."""

from servicekit.settings import ServiceSettings
from servicekit.worker import WorkerParts
from services.exchange.notices.consumers import TOLD, subscription
from services.exchange.notices.templates import load_templates
from services.exchange.settings import ExchangeSettings


def create_worker(settings: ServiceSettings) -> WorkerParts:
    """Put the worker together.

    Raises:
        TemplatesInvalid: the templates of notices do not fit the events.
    """
    assert isinstance(settings, ExchangeSettings)
    templates = load_templates(settings.data_directory, TOLD)
    return WorkerParts(subscriptions=[subscription(templates)])
