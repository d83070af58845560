"""Business metrics of the evaluation service."""

from prometheus_client import Counter

OPENED = Counter("evaluation_opened_total", "Services that became open to rating.")
RATED = Counter("evaluation_ratings_total", "Ratings given.", ["level", "assess_number"])
DEFAULTED = Counter("evaluation_default_ratings_total", "Default ratings after silence.")
DOUBTED = Counter("evaluation_doubted_ratings_total", "Doubts that detectors opened.")
RECTIFICATION_STEPS = Counter(
    "evaluation_rectification_steps_total", "Steps of rectifications.", ["action"]
)
CALENDAR_MISSING = Counter(
    "evaluation_calendar_year_missing_total", "Dates that need a year nobody recorded.", ["year"]
)
