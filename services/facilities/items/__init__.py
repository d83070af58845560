"""事项: the local copy of the catalogue, for what counters take."""
