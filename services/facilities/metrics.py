"""Business metrics of the facilities service."""

from prometheus_client import Counter

FACILITY_CHANGES = Counter(
    "facilities_facility_changes_total", "Changes of facilities.", ["action"]
)
BOOKING_STEPS = Counter("facilities_booking_steps_total", "Steps of bookings.", ["action"])
INDICATORS_CHANGED = Counter(
    "facilities_indicators_changed_total", "Indicators of divisions that changed in a month."
)
INDICATOR_SUMS_MENDED = Counter(
    "facilities_indicator_sums_mended_total", "Kept sums that differed from a full count."
)
FIGURES_RECORDED = Counter(
    "facilities_figures_recorded_total", "Yearly figures of communities recorded or corrected."
)
DEVICE_CHANGES = Counter(
    "facilities_device_changes_total", "Devices that came, went or lacked something.", ["state"]
)
DIVISION_CHANGES = Counter(
    "facilities_division_changes_total", "Changes of divisions recorded.", ["kind"]
)
