"""Search: one snapshot of the catalogue in memory, in every process that answers."""
