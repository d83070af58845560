"""What the catalogue counts beside what every service counts."""

from prometheus_client import Counter, Gauge

SEARCHES = Counter(
    "catalogue_searches_total",
    "Searches by what came of them: found, only similar, nothing.",
    ["outcome"],
)
INDEX_ITEMS = Gauge("catalogue_index_items", "Items that can be searched in this process.")
INDEX_BUILDS = Counter("catalogue_index_builds_total", "Times the whole index was built.")
