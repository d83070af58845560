"""Business metrics of the requests service."""

from prometheus_client import Counter

SUBMITTED = Counter("requests_submitted_total", "Applications taken in.", ["channel"])
UNROUTED = Counter("requests_unrouted_total", "Cases that no rule sent to a unit.")
TRANSITIONS = Counter("requests_transitions_total", "Transitions of cases.", ["action"])
DEADLINES = Counter("requests_deadlines_total", "Limits that came near or passed.", ["kind"])
CALENDAR_MISSING = Counter(
    "requests_calendar_year_missing_total", "Dates that need a year nobody recorded.", ["year"]
)
CLAIMS = Counter("requests_claims_total", "Claims of requests by residents.", ["outcome"])
UPLOADS = Counter("requests_uploads_total", "Files that arrived whole.", ["state"])
SCANS = Counter("requests_scans_total", "Files looked at by the scanner.", ["result"])
ORPHANS = Counter("requests_orphans_total", "Files forgotten because nobody handed them in.")
ARCHIVES = Counter("requests_archives_total", "Archives sealed and destroyed.", ["what"])
