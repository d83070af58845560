"""Samples of every event, one folder per type: examples for people, and proof that old ones parse."""

import json
from pathlib import Path
from typing import Any

from contracts.envelope import Event

DIRECTORY = Path(__file__).parent


def samples_of(event: type[Event]) -> dict[str, Any]:
    """The bodies of an event's samples, by name."""
    files = sorted((DIRECTORY / event.event_type).glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
