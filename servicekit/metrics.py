"""Prometheus metrics of every process, by route template and few buckets (scrapes cost CPU)."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

HTTP_REQUESTS = Counter(
    "http_requests_total", "Requests answered.", ["method", "route", "status_class"]
)
HTTP_SECONDS = Histogram(
    "http_request_duration_seconds", "Time to answer.", ["method", "route"], buckets=_SECONDS
)
OUTBOX_SENT = Counter("outbox_sent_total", "Events sent to Kafka by the relay.", ["topic"])
OUTBOX_FAILURES = Counter("outbox_send_failures_total", "Batches the relay could not send.")
OUTBOX_OLDEST_SECONDS = Gauge("outbox_oldest_unsent_seconds", "Age of the oldest unsent event.")
OUTBOX_DEPTH = Gauge("outbox_unsent_events", "Events that wait for the relay.")
CONSUMED = Counter(
    "consumer_events_total", "Events taken from Kafka by outcome.", ["consumer", "outcome"]
)
CONSUMER_LAG = Gauge("consumer_lag_events", "Events not yet taken.", ["consumer", "topic"])
CONSUMER_RETRIES = Counter(
    "consumer_retries_total", "Transient failures that paused a partition.", ["consumer"]
)
TIMERS_FIRED = Counter("timers_fired_total", "Timers handled.", ["kind"])
TIMER_FAILURES = Counter("timer_failures_total", "Timers that failed and were put back.", ["kind"])
TIMER_LAG_SECONDS = Gauge("timer_lag_seconds", "How long the oldest due timer has waited.")
IMPORT_ROWS = Counter("import_rows_total", "Rows of imports by outcome.", ["kind", "outcome"])
POOL_IN_USE = Gauge("database_connections_in_use", "Connections checked out of the pool.")
POOL_SIZE = Gauge("database_connections_limit", "Connections the pool may hold.")
GROUP_SIZE = Histogram(
    "group_write_rows", "Rows that shared one statement.", buckets=(1, 2, 4, 8, 16, 32, 64)
)
GROUP_QUEUE = Gauge("group_write_queue_rows", "Rows that wait for a group write.")
REPLAYS = Counter("idempotent_replays_total", "Answers given again for a repeated key.")
READY = Gauge("process_ready", "1 when the process may take work.")
