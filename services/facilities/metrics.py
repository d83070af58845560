"""Business metrics of the facilities service."""

from prometheus_client import Counter

FACILITY_CHANGES = Counter(
    "facilities_facility_changes_total", "Changes of facilities.", ["action"]
)
FIGURES_RECORDED = Counter(
    "facilities_figures_recorded_total", "Yearly figures of communities recorded or corrected."
)
