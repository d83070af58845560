"""草稿: what a resident has filled in so far."""
