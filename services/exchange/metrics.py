"""Business metrics of the exchange service."""

from prometheus_client import Counter

NOTICES_DELIVERED = Counter(
    "exchange_notices_delivered_total", "Notices put into inboxes.", ["template"]
)
NOTICES_READ = Counter("exchange_notices_read_total", "Notices read by their receivers.")
