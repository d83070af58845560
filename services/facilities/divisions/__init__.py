"""行政区划: the 12-digit tree."""
