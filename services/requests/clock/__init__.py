"""Working days, promised dates."""
