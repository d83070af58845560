"""Topics declared once; `migrate` creates them, nothing else does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic: facts are kept for a time, states are compacted to the newest per key."""

    name: str
    partitions: int
    compacted: bool
    description: str
    retention_days: int = 30

    def config(self) -> dict[str, str]:
        """Topic settings as Kafka names them."""
        if self.compacted:
            return {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1"}
        milliseconds = self.retention_days * 24 * 3600 * 1000
        return {"cleanup.policy": "delete", "retention.ms": str(milliseconds)}


CATALOGUE = "yichuang.catalogue.v1"
CATALOGUE_FACTS = "yichuang.catalogue.facts.v1"
FACILITIES = "yichuang.facilities.v1"
FACILITIES_FACTS = "yichuang.facilities.facts.v1"
INDICATORS = "yichuang.facilities.indicators.v1"
REQUESTS = "yichuang.requests.v1"
CALENDAR = "yichuang.requests.calendar.v1"
EVALUATION = "yichuang.evaluation.v1"
SCORES = "yichuang.evaluation.scores.v1"
SURVEYS = "yichuang.evaluation.surveys.v1"
EXCHANGE = "yichuang.exchange.v1"

TOPICS = {
    topic.name: topic
    for topic in (
        Topic(CATALOGUE, 3, True, "Items, bundles and admissions with full state, newest per one."),
        Topic(CATALOGUE_FACTS, 3, False, "What was searched for and not found."),
        Topic(
            FACILITIES,
            3,
            True,
            "Divisions, communities and facilities with full state, newest per one.",
        ),
        Topic(FACILITIES_FACTS, 3, False, "What happened to bookings, in order per booking."),
        Topic(INDICATORS, 3, True, "Indicators of divisions, newest per division and month."),
        Topic(
            REQUESTS, 6, False, "What happened to requests and their cases, in order per request."
        ),
        Topic(CALENDAR, 1, True, "Working-day calendars, newest per division and year."),
        Topic(EVALUATION, 6, False, "Ratings and rectifications, in order per case."),
        Topic(SCORES, 3, True, "Scores of items and units with full state, newest per subject."),
        Topic(SURVEYS, 3, True, "How far communities were surveyed, newest per one and year."),
        Topic(EXCHANGE, 3, False, "Notices delivered and receipts of other platforms."),
    )
}


def dead_letter_topic(topic: str, group: str) -> Topic:
    """The topic that keeps what a consumer group could not handle, in its original form."""
    return Topic(f"{topic}.dlq.{group}", 1, False, f"Poison of {group}.", retention_days=90)
