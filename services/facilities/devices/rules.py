"""The life of a device that reports: online while it is heard, offline after silence."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

#: How often a device is asked to report. Ours.
HEARTBEAT_SECONDS = 60
#: After this long without a word it counts as offline: four reports lost. Ours.
SILENCE = timedelta(seconds=5 * HEARTBEAT_SECONDS)
#: Kinds that report by themselves.
REPORTING = frozenset({"self-service-terminal", "number-machine", "broadcast"})
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Report:
    """What a device says of itself."""

    paper: str | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of a device."""

    state: str
    paper: str | None
    fault: str | None


def after_report(report: Report) -> Condition:
    """A device that reports is online, whatever it lacks."""
    return Condition("online", report.paper, report.fault)


def is_silent(last_seen_at: datetime | None, now: datetime) -> bool:
    """Whether it is time to call a device offline."""
    return last_seen_at is None or now - last_seen_at >= SILENCE


def new_key() -> str:
    """A key that a device reports with; shown once."""
    return secrets.token_urlsafe(_KEY_BYTES)


def digest(key: str) -> bytes:
    """What is kept of a key: as it is random, a plain hash is enough."""
    return sha256(key.encode()).digest()
