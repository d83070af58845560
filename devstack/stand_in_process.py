"""The process of `devstack.stand_in`: holds a mock cluster open and writes its address to a file."""

import signal
import sys
from pathlib import Path

from confluent_kafka import Producer

SYSLOG_ERROR = 3


def main(address_file: Path) -> None:
    """Run until a signal arrives."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    producer = Producer({"test.mock.num.brokers": 1, "log_level": SYSLOG_ERROR})
    brokers = producer.list_topics(timeout=10).brokers.values()
    partial = address_file.with_suffix(".partial")
    partial.write_text(",".join(f"{broker.host}:{broker.port}" for broker in brokers))
    partial.rename(address_file)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
